"""Names of the tables of the competition that the labels come from."""

RECORD_COLUMN = "record_name"
SITE_COLUMNS = {
    "septal": "перегородочный",
    "anterior": "передний",
    "lateral": "боковой",
    "anterolateral": "передне-боковой",
    "anteroseptal": "передне-перегородочный",
    "inferior": "нижний",
}
"""The column of each site, in the order of the table."""
NORMAL_COLUMN = "норма"
