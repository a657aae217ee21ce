"""Reports: on a run, on a sweep, on all runs of a recipe, on the lab.

    subject ─► run/ │ sweep/ │ lab/     what it is of: its sections, one a file
       │
     write      markdown, and what lies beside it
       │
     blocks     headings, tables, pictures, text

A section is a function of its subject's document that yields blocks, its heading first. To add one: write it,
list it in its folder's `SECTIONS`.
"""
