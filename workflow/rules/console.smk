# What a run says, one line for each job and at last the page to open; and how it keeps its memory.
import atexit
import gc

from snakemake.logging import DefaultFormatter, logger


class OneLine(DefaultFormatter):
    """A job that starts is its message, without a date and a number."""

    def format_job_info(self, msg):
        return msg["rule_msg"] or super().format_job_info(msg)


def is_news(record):
    """Whether a line of the log is worth a reader's time: not that the scheduler wakes up."""
    return not record.getMessage().startswith(("Select jobs", "Execute "))


def name_page():
    """Name the page to open, when a run has made it or found it up to date."""
    site, dag = rules.build_site.output.index, workflow.dag
    if workflow.dryrun or not workflow.scheduler or any(dag.needrun_jobs()):
        return
    asked = [
        page
        for job in dag.targetjobs
        for page in job.output
        if Path(page).stem in ("index", "report")
    ]
    pages = [site] if any(site in job.output for job in dag.jobs) else asked
    if pages:
        print("Open", ", ".join(p.storage_object.query if p.is_storage else p for p in pages))


if workflow.is_main_process and workflow.modifier.is_main_snakefile():
    atexit.register(name_page)
    # The jobs of many studies are millions of objects that live until the end: the collector
    # need not go through them ten times, nor take them apart at last. Of the dry run of 300 studies
    # that would be 3 of 18 CPU seconds.
    gc.set_threshold(5_000_000)
    atexit.register(gc.freeze)
    # Snakemake itself says twice as many lines, each second one the date.
    for handler in logger.handlers:
        if type(handler.formatter) is DefaultFormatter:
            told = handler.formatter
            handler.setFormatter(OneLine(told.quiet, told.show_failed_logs))
            handler.addFilter(is_news)
