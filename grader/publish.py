"""The commands that turn results into what people read: feedback for each student, a page about the class."""

from pathlib import Path
from typing import Annotated

import typer

from grader.staff import app

__all__ = ["app"]  # staff.py's, with these commands

Results = Annotated[Path, typer.Argument(metavar="RESULTS", help="The folder that grader batch --output was given.")]


@app.command()
def feedback(
    folder: Results,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the files go.")],
    published: Annotated[
        bool, typer.Option("--published", help="Show what students see after the due date and after publication.")
    ] = False,
) -> None:
    """Write what each student gets to read, as a page and as Markdown.

    Hidden checks appear by their title alone. If the seed is secret, no case is shown.
    """
    from grader.desk.feedback import publish
    from grader.results import results

    count = publish(results(folder), output, published)
    typer.echo(f"wrote the feedback of {count} students to {output}: a page (.html) and a text (.md) each")


@app.command()
def overview(
    folder: Results,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.html", help="The page to write.")],
) -> None:
    """Write a page about the class, for those who teach it.

    Scores, the checks and mistakes that cost most, and the submissions to look at by hand.
    """
    from grader.desk.overview import page
    from grader.gradebook import write
    from grader.results import results

    write(output, page(results(folder)))
    typer.echo(f"wrote {output}; it shows hidden checks and names: it is for staff")
