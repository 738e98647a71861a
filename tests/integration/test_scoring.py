"""eval, predict and inspect, on what a run left and on the fixtures."""

import json

import pytest
from harness import GOLDEN, MODEL_TYPES, sentences


@pytest.fixture
def trained(fedtune, run_arguments, models, tmp_path):
    """trained(scheme, model_type): eval's and predict's options for the run's product, and the run's results."""

    def train(scheme: str, model_type: str) -> tuple[list, dict]:
        lr = "5e-3" if scheme == "fedlora" else "1e-3"
        fedtune.run(*run_arguments("a", scheme=scheme, client_ckpt=models[model_type], client_lr=lr))
        folder = tmp_path / "results" / "a"
        options = ["--client-ckpt", folder / "model"]
        if scheme == "fedlora":
            options = ["--client-ckpt", models[model_type], "--adapter", folder / "adapter"]
        return options, json.loads((folder / "results.json").read_text())["fedtune"]

    return train


@pytest.mark.parametrize("scheme", ["fedavg", "fedlora"])
@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_eval_equals_the_runs_final_evaluation(fedtune, trained, dataset, scheme, model_type):
    options, ours = trained(scheme, model_type)
    done = fedtune.run("eval", *options, "--data-path", dataset, "--batch-size", 8, "--json")
    scores, last = json.loads(done.stdout), ours["metrics"][-1]
    for key in ("accuracy", "mcc", "f1"):
        assert scores[key] == last[key]
    assert scores["loss"] == pytest.approx(last["loss"], rel=1e-5)
    assert scores["majority_accuracy"] == ours["majority_accuracy"]


def test_eval_prints_the_majority_beside_the_accuracy(fedtune, models, dataset):
    done = fedtune.run("eval", "--client-ckpt", models["bert"], "--data-path", dataset)
    assert "40 sentences" in done.stdout
    for name in ("accuracy", "majority", "MCC", "F1", "loss"):
        assert name in done.stdout


def test_eval_scores_the_training_split_when_asked(fedtune, models, dataset):
    done = fedtune.run("eval", "--client-ckpt", models["bert"], "--data-path", dataset, "--split", "train", "--json")
    assert json.loads(done.stdout)["sentences"] == 120


def test_an_adapter_trained_by_peft_is_scored(fedtune, models, dataset):
    done = fedtune.run("eval", "--client-ckpt", models["bert"], "--adapter", GOLDEN / "bert" / "adapter",
                       "--data-path", dataset, "--json")
    plain = fedtune.run("eval", "--client-ckpt", models["bert"], "--data-path", dataset, "--json")
    assert json.loads(done.stdout)["loss"] != json.loads(plain.stdout)["loss"]


def test_predict_labels_standard_input_line_by_line(fedtune, trained):
    options, _ = trained("fedlora", "bert")
    rows = sentences(50, seed=3)
    done = fedtune.run("predict", *options, input="".join(f"{text}\n" for text, _ in rows))
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(lines) == 50 and all(len(line) == 3 for line in lines)
    for label, *probabilities in lines:
        values = [float(value) for value in probabilities]
        assert sum(values) == pytest.approx(1, abs=1e-5)
        assert values.index(max(values)) == int(label)


def test_predict_agrees_with_eval(fedtune, trained, dataset):
    options, ours = trained("fedlora", "distilbert")
    lines = (dataset / "validation.tsv").read_text().splitlines()[1:]
    text = "".join(line.split("\t")[0] + "\n" for line in lines)
    done = fedtune.run("predict", *options, "--json", input=text)
    labels = [json.loads(line)["label"] for line in done.stdout.splitlines()]
    right = sum(label == int(line.split("\t")[1]) for label, line in zip(labels, lines, strict=True))
    assert right / len(lines) == ours["metrics"][-1]["accuracy"]


def test_predict_labels_any_text_with_byte_pairs(fedtune, models):
    lines = ["", "naïve 字 \U0001f600\u200d", "<s> <mask></s>", "I'm   not\tsure", "a" * 500]
    done = fedtune.run("predict", "--client-ckpt", models["roberta"], "--json", input="".join(f"{line}\n" for line in lines))
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["sentence"] for answer in answers] == lines
    assert all(sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5) for answer in answers)


def test_predict_reads_a_file_and_writes_json_lines(fedtune, models, tmp_path):
    (tmp_path / "lines.txt").write_bytes("the film\r\n\nvery good".encode())
    done = fedtune.run("predict", tmp_path / "lines.txt", "--client-ckpt", models["bert"], "--json")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["sentence"] for answer in answers] == ["the film", "", "very good"]
    assert all(len(answer["probabilities"]) == 2 for answer in answers)


def test_predict_reads_pairs_as_eval_does(fedtune, models, tmp_path):
    rows = [(first, second, label) for (first, label), (second, _) in zip(sentences(40, seed=4), sentences(40, seed=5), strict=True)]
    for name in ["train", "validation"]:
        (tmp_path / f"{name}.tsv").write_text("sentence1\tsentence2\tlabel\n" + "".join(f"{a}\t{b}\t{c}\n" for a, b, c in rows))
    (tmp_path / "pairs.tsv").write_text("".join(f"{a}\t{b}\n" for a, b, _ in rows))
    model = ["--client-ckpt", models["bert"]]
    done = fedtune.run("predict", tmp_path / "pairs.tsv", *model, "--pairs", "--json")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(answer["sentence1"], answer["sentence2"]) for answer in answers] == [(a, b) for a, b, _ in rows]
    right = sum(answer["label"] == label for answer, (_, _, label) in zip(answers, rows, strict=True))
    scored = json.loads(fedtune.run("eval", *model, "--data-path", tmp_path, "--json").stdout)
    assert right / len(rows) == scored["accuracy"]
    assert len(fedtune.run("predict", *model, "--pairs", input="a film\ta plot\n").stdout.split("\t")) == 3


@pytest.mark.parametrize("line, columns", [("no tab", 1), ("one\ttwo\tthree", 3)])
def test_predict_says_which_line_is_no_pair(fedtune, models, line, columns):
    message = fedtune.error("predict", "--client-ckpt", models["bert"], "--pairs", input=f"a\tb\n{line}\n", code=3)
    assert f"standard input, line 2: found {columns} column" in message


def test_predict_answers_nothing_for_nothing(fedtune, models):
    assert fedtune.run("predict", "--client-ckpt", models["bert"], input="").stdout == ""


def inspect(fedtune, *arguments) -> dict:
    return json.loads(fedtune.run("inspect", *arguments, "--json").stdout)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_inspect_a_checkpoint(fedtune, models, model_type):
    facts = inspect(fedtune, models[model_type], "--lora-r", 4)
    assert (facts["kind"], facts["model type"], facts["layers"]) == ("checkpoint", model_type, 2)
    head = 2 * 32 + 2 + (0 if model_type == "bert" else 32 * 32 + 32)
    assert facts["per client and round, r 4"].startswith(f"{4 * 2 * 4 * 32 + head} numbers")


def test_inspect_an_adapter(fedtune, models):
    facts = inspect(fedtune, models["bert"] / "adapter")
    assert (facts["kind"], facts["r"], facts["tensors"]) == ("adapter", 4, 10)


def test_inspect_a_data_set(fedtune, dataset):
    facts = inspect(fedtune, dataset)
    assert (facts["kind"], facts["train sentences"], facts["validation sentences"]) == ("data set", 120, 40)
    assert sum(facts["train labels"]) == 120


def test_inspect_a_run(fedtune, run_arguments, results_of, tmp_path):
    fedtune.run(*run_arguments("a"))
    facts = inspect(fedtune, tmp_path / "results" / "a")
    assert (facts["kind"], facts["state"], facts["scheme"]) == ("run", "finished", "fedlora")
    assert facts["final_sha256"] == results_of("a")["fedtune"]["final_sha256"]


def test_inspect_prints_lines_for_people(fedtune, models):
    lines = fedtune.run("inspect", models["bert"]).stdout.splitlines()
    assert lines[0].split() == ["kind", "checkpoint"]
