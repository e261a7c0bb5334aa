# What a run says: one line for each job, and at last the page to open.
import atexit

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
    page, dag = rules.build_site.output.index, workflow.dag
    made = workflow.scheduler and not any(dag.needrun_jobs())
    if made and not workflow.dryrun and any(page in job.output for job in dag.jobs):
        print(f"Open {page}")


if workflow.is_main_process and workflow.modifier.is_main_snakefile():
    atexit.register(name_page)
    for handler in logger.handlers:
        if type(handler.formatter) is DefaultFormatter:
            told = handler.formatter
            handler.setFormatter(OneLine(told.quiet, told.show_failed_logs))
            handler.addFilter(is_news)
