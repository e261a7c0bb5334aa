# From the site on this machine to the web. As new_study, the rule has no output and runs whenever it
# is asked for.


rule publish:
    """Put the site on a branch of the project's git repository, as for GitHub Pages."""
    input:
        pages=rules.build_site.output,
    log:
        "logs/publish.log",
    conda:
        "../envs/twolevel.yaml"
    params:
        remote=CONFIG.publish.remote,
        branch=CONFIG.publish.branch,
        shared=[name for name, study in STUDIES.items() if study.share_data],
        code=script_code("publish"),
    message:
        "publish the site on branch {params.branch} of {params.remote}"
    script:
        "../scripts/publish.py"
