# The config, checked; what rules look up in it; the library modules each script runs.
import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from snakemake.io import IOCache

from twolevel.figures.registry import OF_STUDY
from twolevel.figures.replication_registry import OF_REPLICATION
from twolevel.files.checksums import fingerprint
from twolevel.pipeline.clock import bring_back
from twolevel.pipeline.code import library_code
from twolevel.pipeline.config.check import checked
from twolevel.pipeline.folders import check_writable, check_written
from twolevel.pipeline.slices import AXES, Slice, grid_points, plan
from twolevel.pipeline.config.study import RealStudy, SimulatedStudy
from twolevel.pipeline.tables.table_files import TableFiles, table_files
from twolevel.pipeline.wildcards import any_of
from twolevel.random.bars import read_bars

if workflow.is_main_process:
    try:
        check_written(["results", "site", "benchmarks", "logs", ".snakemake"])
        check_writable([".snakemake/locks", ".snakemake/locks/0.input.lock"])
        bring_back(["results", "site", "benchmarks"])
        bring_back([WORKFLOW / "scripts"])
    except InputError as error:
        raise WorkflowError(str(error)) from None

# What `--config` says to new_study and reproduce, which is no part of the config.
ASKED = {key: config.pop(key, None) for key in ("table", "name", "page")}

try:
    # What is wrong with other tables is no matter to a run that asks for one, and a run's jobs need
    # not look at all of them again.
    tables = ASKED["table"] is None and workflow.is_main_process
    CONFIG = checked(config, set(workflow.configfiles).difference(CHECKED), tables)
except InputError as error:
    raise WorkflowError(str(error)) from None

STUDIES = CONFIG.studies
SIMULATED = [name for name, study in STUDIES.items() if isinstance(study, SimulatedStudy)]
REAL = [name for name, study in STUDIES.items() if isinstance(study, RealStudy)]
REPLICATIONS = CONFIG.replications
KEPT = [name for name, study in REPLICATIONS.items() if study.keep_experiments]


wildcard_constraints:
    **dict.fromkeys(AXES, r"[\w.+-]+"),
    study=any_of(STUDIES),
    simulated=any_of(SIMULATED),
    real=any_of(REAL),
    replication=any_of(REPLICATIONS),
    kept=any_of(KEPT),
    kind="docx|pdf",
    first=r"\d+",
    last=r"\d+",


def script_code(name, *files, modules=()):
    """A rule's parameter: its script, the library modules that this runs, and further files.

    `modules` are those that it imports by names made as it runs. A parameter tells of every change,
    a date only of one that is newer than what was made.
    """
    script = WORKFLOW / "scripts" / f"{name}.py"
    more = {Path(file).name: fingerprint(file) for file in [script, *files]}
    return library_code(script, modules) | more


def drawers(of, names):
    """The modules that draw the figures of these names."""
    return [f"twolevel.figures.{of}.{name}" for name in names]


def template(name):
    """The path of a file under reports/, from the folder in which Snakemake runs."""
    return os.path.relpath(WORKFLOW.parent / "reports" / name)


def for_each(*files, **names):
    """Files of a rule with one wildcard, for each of its names; `expand` takes none in storage."""
    ((wildcard, names),) = names.items()
    return [file.apply_wildcards({wildcard: name}) for name in names for file in files]


def named(name, files):
    """The files of this name, whatever their ending."""
    return [file for file in files if Path(file).stem == name]


def study_config(name):
    """A study's config as plain values, defaults filled in."""
    return STUDIES[name].model_dump()


def asked_table(wildcards):
    """The table that `--config table=...` names, or None; from a function, braces stay braces."""
    return ASKED["table"]


def asked_page(wildcards):
    """The page that `--config page=...` names, or None."""
    return ASKED["page"]


def own_tables(wildcards):
    """The table of every real study."""
    return {name: STUDIES[name].data for name in REAL}


def table_of(wildcards):
    """The files of a real study's table, which lie beside the config wherever results are stored."""
    return local(table_files(STUDIES[wildcards.real].data))


def table_content_of(wildcards):
    """What a real study's table holds."""
    return [fingerprint(file) for file in table_of(wildcards)]


def table_config_of(wildcards):
    """How a real study's table is read."""
    return STUDIES[wildcards.real].table


def simulation_of(wildcards):
    """The parameters of a simulated study."""
    return study_config(wildcards.simulated)["simulate"]


def formula_of(wildcards):
    """A study's model, in the names of its own table."""
    return STUDIES[wildcards.study].formula


def fixed_formula_of(wildcards):
    """The fixed part of a study's model."""
    return read_bars(formula_of(wildcards)).fixed


def coding_of(wildcards):
    """How the factors of a study's formula are coded."""
    return STUDIES[wildcards.study].factor_coding


def unit_of(wildcards):
    """The unit of a study's response, or None."""
    return STUDIES[wildcards.study].unit


def adjust_of(wildcards):
    """How a study's pairwise differences are adjusted for their number."""
    return STUDIES[wildcards.study].adjust


def contrast_error_of(wildcards):
    """By which error a study's pairwise differences are tested."""
    return STUDIES[wildcards.study].contrast_error


def level_of(wildcards):
    """The confidence level of a study's intervals, and of what its tests are said to show."""
    return STUDIES[wildcards.study].level


def config_of(wildcards):
    """A study's whole config, as its report shows it."""
    return study_config(wildcards.study)


def observations_of(wildcards):
    """A study's observations, simulated or loaded."""
    return f"results/{wildcards.study}/observations.parquet"


def truth_of(wildcards):
    """The truth of a simulated study; nothing for a real one."""
    return f"results/{wildcards.study}/truth.json" if wildcards.study in SIMULATED else []


def loading_of(wildcards):
    """What was counted while a real study's table was read; nothing for a simulated one."""
    return f"results/{wildcards.study}/loading.json" if wildcards.study in REAL else []


def replication_of(wildcards):
    """A replication study's whole config, as its report shows it."""
    return REPLICATIONS[wildcards.replication].model_dump()


def by_icc_of(wildcards):
    """Whether a replication study says by an ICC how much subjects differ, and so does its page."""
    return REPLICATIONS[wildcards.replication].icc is not None


def like(path):
    """An input: a file of the study that a replication is like, or nothing."""

    def file(wildcards):
        study = REPLICATIONS[wildcards.replication].like
        return f"results/{study}/{path}" if study else []

    return file


def like_config_of(wildcards):
    """The config of the study that a replication is like, or None."""
    study = REPLICATIONS[wildcards.replication].like
    return study_config(study) if study else None


def like_model_of(wildcards):
    """The formula of that study, and how its factors are coded, or None."""
    study = REPLICATIONS[wildcards.replication].like
    if study is None:
        return None
    return {"formula": STUDIES[study].formula, "coding": STUDIES[study].factor_coding}


def like_loading(wildcards):
    """What was counted while the table of that study was read; nothing where there is none."""
    study = REPLICATIONS[wildcards.replication].like
    return f"results/{study}/loading.json" if study in REAL else []


def parameters_of(wildcards):
    """What the experiments of a replication study depend on, besides their place in the grid."""
    return REPLICATIONS[wildcards.replication].parameters


def points_of(wildcards):
    """The points of a replication study's grid."""
    return grid_points(REPLICATIONS[wildcards.replication].axes)


def designs_of(wildcards):
    """The points of a replication study's grid, whatever their number of subjects."""
    _, *others = REPLICATIONS[wildcards.replication].axes
    return grid_points([None, *others])


def powers_of(wildcards):
    """The powers that a replication study asks for."""
    return REPLICATIONS[wildcards.replication].power


def asked_of(wildcards):
    """What a replication study finds the number of subjects for."""
    return REPLICATIONS[wildcards.replication].asked


def experiments_of(wildcards):
    """How many experiments there are at each point of a replication study's grid."""
    return REPLICATIONS[wildcards.replication].experiments


def per_subject(replication):
    """How many cells a subject has in a replication study, for the size of jobs."""
    return REPLICATIONS[replication].per_subject


@cache
def slices_in(folder):
    """The slices in a folder of this machine, or of the storage in which results lie."""
    provider = workflow.storage_registry.default_storage_provider
    if provider is None:
        paths = [path.as_posix() for path in Path(folder).rglob("*.parquet")]
    else:
        found, prefix = IOCache(None), workflow.storage_settings.default_storage_prefix
        anything = provider.object(f"{prefix.rstrip('/')}/{folder}/anything")
        # This thread may be in an event loop, as where Snakemake builds its DAG.
        with ThreadPoolExecutor(1) as another:
            another.submit(asyncio.run, anything.inventory(found)).result()
        paths = map(str, found.exists_in_storage)
    one = re.compile(rf"(.*/)?{re.escape(folder)}/([^/]+/){{{len(AXES)}}}\d+-\d+\.parquet")
    return [Slice.of_path(path) for path in paths if one.fullmatch(path)]


def slices_of(wildcards):
    """The slices of a replication study: those that are there, and those still to be run."""
    study = REPLICATIONS[wildcards.replication]
    folder = f"results/{wildcards.replication}/experiments"
    observed = per_subject(wildcards.replication)
    slices = plan(points_of(wildcards), study.experiments, slices_in(folder), observed)
    return [f"{folder}/{part.path}" for part in slices]


def sums_of(wildcards):
    """The sums of a replication study's slices."""
    return [f"{path}.parquet" for path in slices_of(wildcards)]


def kept_of(wildcards):
    """The experiments of a replication study that keeps them."""
    return [f"{path}.experiments.parquet" for path in slices_of(wildcards)]


def names_of(paths):
    """The bare file names of paths."""
    return [Path(path).name for path in paths]


def shown(kind, path, *names, of="study"):
    """Files of a study or replication study, each with its own label in Snakemake's report."""
    labels = {name: {kind: name.replace("_", " ")} for name in names}
    path = f"results/{{{of}}}/{path}"
    return [report(path % name, category=f"{{{of}}}", labels=labels[name]) for name in names]
