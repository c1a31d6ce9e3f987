"""For those who teach with the course: a report on a class, an edition without solutions.

`python3 course.py report FOLDER` and `python3 course.py edition --without-solutions OUT` begin
here; `README.md` beside this file says how to use them, and nbgrader.
"""
