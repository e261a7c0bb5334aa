# When a study fails, the others are still published, and the index says what is missing and why.
# The job build_site needs all pages and cannot run then, so that this is done when the run has ended.
# So is taking damaged files away, which other jobs might be waiting for as long as it goes on.
from twolevel.text.errors import TwoLevelError, listed
from twolevel.pipeline.intact import set_aside
from twolevel.pipeline.job import last_words


def failed_jobs():
    """The jobs that failed, those of groups one by one."""
    groups = [getattr(job, "jobs", [job]) for job in workflow.scheduler.failed]
    return {job for jobs in groups for job in jobs}


def failures(site, failed):
    """The studies whose pages were not made, with the reason of each; none if one has no reason.

    It has none where the run was stopped before it was finished.
    """
    found, dag = {}, workflow.dag
    for page in dag.dependencies[site]:
        if page.rule.name.startswith("render_") and dag.needrun(page) and not dag.finished(page):
            causes = [job for job in dag.bfs(dag.dependencies, page) if job in failed]
            if not causes:
                return {}
            words = filter(None, (last_words(job.log[0]) for job in causes))
            [name] = page.wildcards
            found[name] = next(words, f"rule {causes[0].rule} failed; see {causes[0].log[0]}")
    return found


def publish_others():
    """Build the site without the studies that failed, unless a file has to be made anew first."""
    from twolevel.page.site import publish

    failed = failed_jobs()
    site = next((job for job in workflow.dag.jobs if job.rule.name == "build_site"), None)
    readers = failed | ({site} if site else set())
    if moved := set_aside(sorted({path for job in readers for path in job.input})):
        print(f"Moved {listed(moved)} to the same name with .changed; now run snakemake again")
        return
    found = failures(site, failed) if site else {}
    # Jobs that end because the run is told to stop have not failed.
    if not found or workflow.scheduler._user_kill:
        return
    # For Snakemake the site is unfinished: the next run builds it, whatever has changed until then.
    workflow.persistence.started(site)
    try:
        publish(site, found)
    except (TwoLevelError, OSError) as error:
        print(f"twolevel: the site was not built: {TwoLevelError(error)}")
    else:
        print(f"Open {site.output.index}: it says why there is no page of {', '.join(found)}")


onstart:
    jobs = list(workflow.dag.needrun_jobs())
    try:
        check_writable(file for job in jobs for file in (*job.output, *job.log, job.benchmark))
    except InputError as error:
        raise WorkflowError(str(error)) from None
    # Snakemake limits the starts of a second, though here the cores do, and for each job that has
    # ended looks once a second from then on whether another may start: after 100 jobs, 100 times.
    # Of 120 jobs of a quarter second that is 1.0 of its own 2.9 CPU seconds, and of 240 four times
    # as much.
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None


onerror:
    publish_others()
