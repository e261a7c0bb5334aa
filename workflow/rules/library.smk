# The library of this checkout, which rules and scripts run, whether or not another one is installed.
import os
import sys
from pathlib import Path

WORKFLOW = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).resolve().parent

sys.path.insert(0, str(WORKFLOW))
search_path = [str(WORKFLOW), *filter(None, [os.environ.get("PYTHONPATH")])]
os.environ.update(PYTHONPATH=os.pathsep.join(search_path))

from snakemake.exceptions import WorkflowError

from twolevel.errors import InputError
from twolevel.pipeline.yaml_keys import refuse_code


def refuse_code_in(path):
    """Refuse a config that Snakemake would run code of, before it is read."""
    try:
        if os.path.isfile(path) and not workflow.modifier.skip_configfile:
            refuse_code(Path(path).read_bytes(), path)
    except InputError as error:
        raise WorkflowError(str(error)) from None
