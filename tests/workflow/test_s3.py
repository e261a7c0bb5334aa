"""Results in cloud storage, through Snakemake's plugin for S3, on a server of this machine."""

import pytest
from projects import AGAIN, CONFIG, PLAN, REPLICATED, replication_config

REASON = "results in S3 need the extras cloud and test"
pytest.importorskip("snakemake_storage_plugin_s3", reason=REASON)
boto3 = pytest.importorskip("boto3", reason=REASON)
moto_server = pytest.importorskip("moto.server", reason=REASON)

BUCKET, FOLDER = "lab", "twolevel"


@pytest.fixture
def server(monkeypatch, caplog):
    """The address of an empty S3 server."""
    caplog.set_level("ERROR", "werkzeug")
    for key, value in {"ACCESS_KEY_ID": "someone", "SECRET_ACCESS_KEY": "secret"}.items():
        monkeypatch.setenv(f"AWS_{key}", value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = moto_server.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


def test_results_in_s3_are_those_of_a_local_run(server, fresh, replicated, first_run):
    bucket = boto3.resource("s3", "us-east-1", endpoint_url=server).create_bucket(Bucket=BUCKET)
    prefix = f"s3://{BUCKET}/{FOLDER}"
    storage = ["--default-storage-provider", "s3", "--default-storage-prefix", prefix]
    storage += ["--storage-s3-endpoint-url", server]

    def stored(*folders):
        found = [o for name in folders for o in bucket.objects.filter(Prefix=f"{FOLDER}/{name}/")]
        return {o.key.removeprefix(f"{FOLDER}/"): o.get()["Body"].read() for o in found}

    fresh.configure(REPLICATED)
    said = fresh.snakemake(*storage)
    assert said.lines[-1] == f"Open {prefix}/site/index.html"
    local = replicated[0].files("results", "site")
    there = stored("results", "site")
    assert set(there) == set(local)
    assert [name for name in local if there[name] != local[name]] == []
    assert fresh.files("results", "site") == {}, "nothing stays on this machine"

    # Of a larger grid only the points are computed that are not stored yet.
    plan = {**PLAN, "subjects": [*PLAN["subjects"], 9]}
    fresh.configure(replication_config(plan=plan, again=AGAIN))
    said = fresh.snakemake("results/plan/measures.parquet", *storage)
    assert [line for line in said.lines if line.startswith("plan: experiments")] == [
        "plan: experiments 0 to 60 with 9 subjects"
    ]
    kept = stored("results/plan/experiments")
    assert {name: kept[name] for name in kept if name in there} == {
        name: there[name] for name in there if name.startswith("results/plan/experiments/")
    }

    # A table lies beside the config; what is stored is not made again.
    fresh.configure(REPLICATED | {"studies": CONFIG["studies"]})
    said = fresh.snakemake("results/toy/report.html", "results/real/observations.parquet", *storage)
    assert [line for line in said.lines if line.startswith(("toy:", "real:"))] == [
        "real: load config/data/selfesteem.csv"
    ]
    there = stored("results/real")
    assert there == {name: first_run[0].files("results")[name] for name in there} != {}
