"""What the course remembers: kept answers, progress, predictions, recall; aids and the glossary."""

import helpers.checks  # noqa: F401 (it hands on what is here, so it is always imported first)
