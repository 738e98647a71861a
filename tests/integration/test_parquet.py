"""Data as the hub serves GLUE: parquet, pairs of sentences, three classes. All sentences are our own."""

import json
import os
import random

import pytest
import safetensors_file
from harness import sentences, write_tsv
from hub_server import Repository, serving

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet as pq  # noqa: E402

PAIR_TASKS = {  # task: columns of the two texts, classes
    "mrpc": ("sentence1", "sentence2", 2),
    "qqp": ("question1", "question2", 2),
    "qnli": ("question", "sentence", 2),
    "rte": ("sentence1", "sentence2", 2),
    "wnli": ("sentence1", "sentence2", 2),
    "mnli": ("premise", "hypothesis", 3),
}


def table(columns: dict[str, list]):
    return pa.table(columns | {"idx": list(range(len(columns["label"])))})


def single(count: int, seed: int):
    rows = sentences(count, seed)
    return table({"sentence": [text for text, _ in rows], "label": [label for _, label in rows]})


def pairs(task: str, count: int, seed: int) -> dict[str, list]:
    """Two opinions; the label says whether both are good, neither is, or they differ."""
    first, second, classes = PAIR_TASKS[task]
    a, b = sentences(count, seed), sentences(count, seed + 100)
    labels = [x + y if classes == 3 else int(x == y) for (_, x), (_, y) in zip(a, b)]
    return {first: [text for text, _ in a], second: [text for text, _ in b], "label": labels}


def write_glue(root, name: str, tables: dict):
    folder = root / name
    folder.mkdir(parents=True)
    for split, content in tables.items():
        pq.write_table(content, folder / f"{split}-00000-of-00001.parquet")
    return folder


@pytest.fixture
def cola(tmp_path):
    return write_glue(tmp_path / "glue", "cola", {"train": single(120, 1), "validation": single(40, 2)})


def test_parquet_gives_the_bits_of_tsv(fedtune, run_arguments, results_of, dataset, cola):
    fedtune.run(*run_arguments("tsv", num_rounds=1))
    fedtune.run(*run_arguments("parquet", num_rounds=1, data_path=cola))
    tsv, parquet = results_of("tsv")["fedtune"], results_of("parquet")["fedtune"]
    assert parquet["final_sha256"] == tsv["final_sha256"]


def test_glue_is_fetched_from_the_hub_one_task_of_it(fedtune, run_arguments, results_of, environment_of_glue, dataset):
    hub, variables = environment_of_glue
    fedtune.run(*run_arguments("tsv", num_rounds=1))
    for name, path in (("short", "glue"), ("owner", "nyu-mll/glue")):
        fedtune.run(*run_arguments(name, num_rounds=1, data_path=path, data_name="cola"), env=variables)
        assert results_of(name)["fedtune"]["final_sha256"] == results_of("tsv")["fedtune"]["final_sha256"]
    fetched = {r.path.split("/resolve/")[1].split("/", 1)[1] for r in hub.seen("/resolve/", "GET")}
    assert fetched == {"cola/train-00000-of-00001.parquet", "cola/validation-00000-of-00001.parquet"}


@pytest.fixture
def environment_of_glue(tmp_path, cola):
    with serving() as hub:
        files = {f"cola/{path.name}": path.read_bytes() for path in cola.iterdir()}
        files["cola/test-00000-of-00001.parquet"] = files["sst2/train-00000-of-00001.parquet"] = b"not asked for"
        hub.datasets["nyu-mll/glue"] = Repository(files, lfs=set(files))
        hub.renamed["glue"] = "nyu-mll/glue"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING_FACE", "TRANSFORMERS_"))}
        yield hub, kept | {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "hf")}


@pytest.mark.parametrize("task", PAIR_TASKS)
def test_pairs_of_sentences_are_read_as_the_hub_names_them(fedtune, tmp_path, task):
    root = tmp_path / "glue"
    validation = "validation_matched" if task == "mnli" else "validation"
    write_glue(root, task, {"train": table(pairs(task, 60, 1)), validation: table(pairs(task, 30, 2))})
    facts = json.loads(fedtune.run("inspect", root, "--data-name", task, "--json").stdout)
    classes = PAIR_TASKS[task][2]
    assert facts["classes"] == classes and facts["train sentences"] == 60
    labels = pairs(task, 60, 1)["label"]
    assert facts["train labels"] == [labels.count(label) for label in range(classes)]


def test_three_classes_are_learnt_and_scored(fedtune, run_arguments, results_of, tmp_path, models):
    root = tmp_path / "glue"
    validation = pairs("mnli", 30, 2)
    write_glue(root, "mnli", {"train": table(pairs("mnli", 90, 1)), "validation_matched": table(validation),
                              "validation_mismatched": table(pairs("mnli", 20, 3))})
    fedtune.run(*run_arguments("a", data_path=root, data_name="mnli", client_ckpt=models["bert"], num_rounds=1), code=3)
    headless = tmp_path / "headless"
    make_headless(models["bert"], headless)
    fedtune.run(*run_arguments("b", data_path=root, data_name="mnli", client_ckpt=headless))
    ours = results_of("b")["fedtune"]
    most = max(validation["label"].count(label) for label in range(3))
    assert ours["majority_accuracy"] == pytest.approx(most / 30)
    assert all(len(client["labels"]) == 3 for client in ours["clients"])
    assert {"accuracy", "mcc", "f1", "loss"} <= set(ours["metrics"][-1])
    adapter = tmp_path / "results" / "b" / "adapter"
    for name, count in (("mnli", 30), ("mnli_mismatched", 20)):
        scores = json.loads(fedtune.run("eval", "--client-ckpt", headless, "--adapter", adapter, "--data-path", root,
                                        "--data-name", name, "--json").stdout)
        assert scores["sentences"] == count
        if name == "mnli":
            assert scores["accuracy"] == pytest.approx(ours["metrics"][-1]["accuracy"])


def make_headless(source, target):
    """A checkpoint without classification head, for three classes."""
    target.mkdir()
    for file in source.iterdir():
        if file.is_file() and file.name not in ("model.safetensors", "expected.safetensors"):
            (target / file.name).write_bytes(file.read_bytes())
    config = json.loads((source / "config.json").read_text())
    config.pop("id2label", None), config.pop("label2id", None)
    (target / "config.json").write_text(json.dumps(config | {"num_labels": 3}))
    header, tensors = safetensors_file.read(source / "model.safetensors")
    kept = {name: entry for name, entry in header.items() if not name.startswith("classifier")}
    safetensors_file.write(target / "model.safetensors", kept, tensors)


def test_hidden_labels_are_an_error_that_says_why(fedtune, tmp_path):
    columns = pairs("rte", 20, 1)
    columns["label"] = [-1] * 20
    folder = write_glue(tmp_path, "rte", {"train": table(columns), "validation": table(columns)})
    error = fedtune.error("inspect", folder, code=3)
    assert "train-00000-of-00001.parquet, row 1: label -1 stands for one that is kept secret" in error


def test_parts_are_read_in_their_order(fedtune, run_arguments, results_of, tmp_path, cola):
    whole = pq.read_table(cola / "train-00000-of-00001.parquet")
    folder = tmp_path / "parts"
    folder.mkdir()
    for i in range(3):
        pq.write_table(whole.slice(i * 40, 40), folder / f"train-0000{i}-of-00003.parquet", row_group_size=7)
    (folder / "validation.parquet").write_bytes((cola / "validation-00000-of-00001.parquet").read_bytes())
    fedtune.run(*run_arguments("whole", num_rounds=1, data_path=cola))
    fedtune.run(*run_arguments("parts", num_rounds=1, data_path=folder))
    assert results_of("parts")["fedtune"]["final_sha256"] == results_of("whole")["fedtune"]["final_sha256"]
    (folder / "train-00001-of-00003.parquet").unlink()
    assert "train-00001-of-00003.parquet" in fedtune.error("inspect", folder, code=3)


@pytest.mark.parametrize("change", [
    lambda t: t.set_column(0, "sentence", t["sentence"].cast(pa.large_string())),
    lambda t: t.set_column(0, "sentence", t["sentence"].dictionary_encode()),
    lambda t: t.set_column(1, "label", t["label"].cast(pa.int8())),
    lambda t: t.append_column("extra", pa.array([[1, 2]] * len(t))),
], ids=["large strings", "dictionary", "int8", "a nested column beside"])
def test_other_types_of_the_same_values_do(fedtune, tmp_path, change):
    pq.write_table(change(single(10, 1)), tmp_path / "rows.parquet")
    assert json.loads(fedtune.run("inspect", tmp_path / "rows.parquet", "--json").stdout)["file sentences"] == 10


@pytest.mark.parametrize("columns, expected", [
    ({"sentence": ["a", None], "label": [0, 1]}, "row 2, column sentence: no value there"),
    ({"sentence": [1.5, 2.5], "label": [0, 1]}, "type double, expected texts or whole numbers"),
    ({"body": ["a", "b"], "label": [0, 1]}, "without the names `sentence` and `label`"),
    ({"sentence": [], "label": []}, "no sentences"),
], ids=["null", "float", "names", "empty"])
def test_what_is_not_a_table_of_sentences_is_said(fedtune, tmp_path, columns, expected):
    pq.write_table(pa.table(columns), tmp_path / "rows.parquet")
    assert expected in fedtune.error("inspect", tmp_path / "rows.parquet", code=3)


def test_damaged_files_are_errors_and_no_crash(fedtune, tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(single(50, 1), path)
    whole = path.read_bytes()
    chance = random.Random(5)
    for cut in (0, 3, 4, 11, len(whole) // 2, len(whole) - 5, len(whole) - 1):
        path.write_bytes(whole[:cut])
        assert "parquet" in fedtune.error("inspect", path, code=3)
    for _ in range(12):
        damaged = bytearray(whole)
        for _ in range(8):
            damaged[chance.randrange(len(whole))] = chance.randrange(256)
        path.write_bytes(damaged)
        done = fedtune.start("inspect", path)
        _, stderr = done.communicate(timeout=60)
        assert done.returncode in (0, 3), stderr


@pytest.mark.parametrize("header, labels", [
    ("Quality\t#1 ID\t#2 ID\t#1 String\t#2 String", "{label}\t1\t2\t{a}\t{b}"),
    ("id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate", "0\t1\t2\t{a}\t{b}\t{label}"),
    ("index\tquestion\tsentence\tlabel", "0\t{a}\t{b}\t{word}"),
    ("index\tsentence1\tsentence2\tlabel", "0\t{a}\t{b}\t{label}"),
], ids=["mrpc", "qqp", "qnli", "wnli"])
def test_tsv_as_glue_publishes_pairs_has_the_bits_of_parquet(fedtune, run_arguments, results_of, tmp_path, header, labels):
    folders = {"tsv": tmp_path / "tsv", "parquet": tmp_path / "parquet"}
    folders["tsv"].mkdir()
    splits = {"train": pairs("mrpc", 60, 1), "validation": pairs("mrpc", 20, 2)}
    write_glue(tmp_path, "parquet", {split: table(columns) for split, columns in splits.items()})
    for split, columns in splits.items():
        rows = [labels.format(a=a, b=b, label=label, word=["entailment", "not_entailment"][label])
                for a, b, label in zip(*columns.values())]
        (folders["tsv"] / f"{split.replace('validation', 'dev')}.tsv").write_text("\n".join([header, *rows]) + "\n")
    for name, folder in folders.items():
        fedtune.run(*run_arguments(name, num_rounds=1, data_path=folder))
    assert results_of("tsv")["fedtune"]["final_sha256"] == results_of("parquet")["fedtune"]["final_sha256"]


def test_the_second_sentence_matters(fedtune, run_arguments, results_of, tmp_path):
    """The same first sentences with and without a second give different models."""
    columns = pairs("mrpc", 60, 1)
    write_glue(tmp_path, "pairs", {"train": table(columns), "validation": table(columns)})
    alone = tmp_path / "alone"
    alone.mkdir()
    for split in ("train", "validation"):
        write_tsv(alone / f"{split}.tsv", list(zip(columns["sentence1"], columns["label"])))
    for name in ("pairs", "alone"):
        fedtune.run(*run_arguments(name, num_rounds=1, data_path=tmp_path / name))
    assert results_of("pairs")["fedtune"]["final_sha256"] != results_of("alone")["fedtune"]["final_sha256"]
