"""The records that wait for their analysis. The queue is the table of records itself: what is accepted is committed."""

from typing import NamedTuple

from ecg_edge.web.database import Database

MOST_CRASHES = 3
"""How often a record may end the worker before it is given up."""


class Waiting(NamedTuple):
    """A record that is not analysed yet."""

    number: int
    name: str
    source: str


def take(database: Database, most: int) -> list[Waiting]:
    """Return the oldest records that wait, and mark them as started; one by itself if it ended a worker before."""
    with database.write() as connection:
        rows = connection.execute(
            "SELECT number, name, source, crashes FROM records WHERE outcome = 'pending' "
            "ORDER BY crashes, number LIMIT ?",
            (most,),
        ).fetchall()
        rows = [row for row in rows if not row["crashes"]] or rows[:1]
        connection.executemany("UPDATE records SET started = 1 WHERE number = ?", [(row["number"],) for row in rows])
    return [Waiting(row["number"], row["name"], row["source"]) for row in rows]


def release(database: Database) -> None:
    """Let all records that were started wait again, because the server itself was ended."""
    with database.write() as connection:
        connection.execute("UPDATE records SET started = 0 WHERE started = 1")


def count_crash(database: Database) -> bool:
    """Note that the worker ended while it analysed the started records, and give up those that ended it too often.

    Returns:
        Whether there were such records.
    """
    with database.write() as connection:
        counted = connection.execute("UPDATE records SET crashes = crashes + 1, started = 0 WHERE started = 1")
        connection.execute(
            "UPDATE records SET outcome = 'failed', reason = ? WHERE outcome = 'pending' AND crashes >= ?",
            (f"its analysis ended the worker {MOST_CRASHES} times", MOST_CRASHES),
        )
    return counted.rowcount > 0
