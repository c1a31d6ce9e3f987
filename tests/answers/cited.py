"""Numbers in the text that no cell computes, with their sources: lesson -> number -> source.

A number stands here as it stands in the text, with its "%".
"""

CITED = {
    "00": {},
    "01": {},
    "02": {},
    "03": {},
    "04": {},
    "05": {},
    "06": {"0.25": "the grid of rates that stands commented out in the source of the lesson"},
    "07": {},
    "08": {},
    "09": {},
    "10": {},
    "11": {},
    "12": {},
}
