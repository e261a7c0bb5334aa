# The library of this checkout, which rules and scripts run, whether or not another one is installed.
import os
import sys
from pathlib import Path

WORKFLOW = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).resolve().parent

sys.path.insert(0, str(WORKFLOW))
search_path = [str(WORKFLOW), *filter(None, [os.environ.get("PYTHONPATH")])]
os.environ.update(PYTHONPATH=os.pathsep.join(search_path))
# As an installation would, keep the library's bytecode: each job would compile its modules again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

from snakemake.exceptions import WorkflowError

from twolevel.text.errors import InputError
from twolevel.pipeline.folders import check_folder
from twolevel.pipeline.config.yaml_keys import check_before

try:
    check_folder(WORKFLOW.parent)
except InputError as error:
    raise WorkflowError(str(error)) from None


def check_before_reading(path):
    """Check a config before Snakemake reads it; give the files that were checked."""
    if not os.path.lexists(path) or workflow.modifier.skip_configfile:
        return []
    try:
        check_before(path)
    except InputError as error:
        raise WorkflowError(str(error)) from None
    return [path]
