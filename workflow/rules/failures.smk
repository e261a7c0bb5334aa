# When a study fails, the others are published all the same, and the index says what is lacking and why.
# The job build_site needs all pages and cannot run then, so that this is done when the run has ended.
from twolevel.errors import TwoLevelError
from twolevel.pipeline.job import last_words


def failures(site):
    """The studies whose pages were not made, with the reason of each; None if one has no reason.

    It has none where the run was stopped before it was finished.
    """
    found, dag = {}, workflow.dag
    groups = [getattr(job, "jobs", [job]) for job in workflow.scheduler.failed]
    failed = {job for jobs in groups for job in jobs}
    for page in dag.dependencies[site]:
        if page.rule.name.startswith("render_") and dag.needrun(page) and not dag.finished(page):
            causes = [job for job in dag.bfs(dag.dependencies, page) if job in failed]
            if not causes:
                return None
            words = filter(None, (last_words(job.log[0]) for job in causes))
            [name] = page.wildcards
            found[name] = next(words, f"rule {causes[0].rule} failed; see {causes[0].log[0]}")
    return found


def publish_others():
    """Build the site without the studies that failed."""
    from twolevel.pipeline.intact import check
    from twolevel.pipeline.site import publish

    site = next((job for job in workflow.dag.jobs if job.rule.name == "build_site"), None)
    found = failures(site) if site else None
    if not found:
        return
    # For Snakemake the site is unfinished: the next run builds it, whatever has changed until then.
    workflow.persistence.started(site)
    try:
        check(filter(os.path.isfile, site.input))
        publish(site, found)
    except (TwoLevelError, OSError) as error:
        print(f"twolevel: the site was not built: {error}")
    else:
        print(f"Open {site.output.index}: it says why there is no page of {', '.join(found)}")


onerror:
    publish_others()
