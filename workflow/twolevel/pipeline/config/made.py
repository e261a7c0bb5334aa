"""The config of what is made for readers: how reports are rendered, and where the site goes."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from twolevel.pipeline.config.keys import Model

# Nothing that git would take for an option or a range.
GitName = Annotated[str, StringConstraints(pattern=r"^\w[\w./-]*$", max_length=100)]


class Report(Model):
    """How reports are made."""

    renderer: Literal["auto", "quarto", "pandoc"] = Field(
        default="auto",
        description="What renders the reports; auto takes Quarto where it is installed",
        examples=["auto"],
    )
    formats: list[Literal["html", "docx", "pdf"]] = Field(
        default=["html"],
        description="What is made of every report: its page in any case, a Word document, a PDF",
        examples=["[html, docx]"],
    )


class Publish(Model):
    """Where the site is published."""

    remote: GitName = Field(
        default="origin",
        description="The remote of the project's git repository",
        examples=["origin"],
    )
    branch: GitName = Field(
        default="gh-pages",
        description="The branch that holds the site and nothing else",
        examples=["gh-pages"],
    )
