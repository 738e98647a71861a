"""What a run leaves behind."""

import json
import re
import tomllib

import pytest
import safetensors_file
from harness import MODEL_TYPES, TOKENIZER_FILES, sentences, write_tsv


def layout(path) -> list[str]:
    return list(safetensors_file.read(path)[0])


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_fedlora_leaves_an_adapter_in_pefts_format(fedtune, run_arguments, models, tmp_path, model_type):
    fedtune.run(*run_arguments("a", client_ckpt=models[model_type]))
    folder = tmp_path / "results" / "a"
    config = json.loads((folder / "adapter" / "adapter_config.json").read_text())
    assert (config["peft_type"], config["r"], config["lora_alpha"], config["task_type"]) == ("LORA", 8, 16, "SEQ_CLS")
    names = layout(folder / "adapter" / "adapter_model.safetensors")
    assert len(names) == (10 if model_type == "bert" else 12)
    assert all(name.startswith("base_model.model.") for name in names)
    assert not (folder / "model").exists()


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_fedavg_leaves_a_model_that_can_be_trained_again(fedtune, run_arguments, models, tmp_path, model_type):
    fedtune.run(*run_arguments("a", scheme="fedavg", client_ckpt=models[model_type], client_lr="1e-3"))
    model = tmp_path / "results" / "a" / "model"
    assert {"config.json", "model.safetensors"} | TOKENIZER_FILES[model_type] <= {path.name for path in model.iterdir()}
    assert set(layout(model / "model.safetensors")) == set(layout(models[model_type] / "model.safetensors"))
    fedtune.run(*run_arguments("b", scheme="fedavg", client_ckpt=model, num_rounds=1))


def test_a_run_folder_holds_what_the_contract_names(fedtune, run_arguments, tmp_path):
    fedtune.run(*run_arguments("a"))
    folder = tmp_path / "results" / "a"
    assert {path.name for path in folder.iterdir()} == {
        "config.toml", "events.jsonl", "checkpoint", "adapter", "tensorboard", "report.html", "results.json"}
    assert (tmp_path / "results" / "a.json").read_bytes() == (folder / "results.json").read_bytes()
    config = tomllib.loads((folder / "config.toml").read_text())
    assert (config["scheme"], config["teacher-data-pct"], config["partition"]) == ("fedlora", 33, "percent")


def test_every_event_is_one_json_line(fedtune, run_arguments, tmp_path):
    fedtune.run(*run_arguments("a"))
    lines = (tmp_path / "results" / "a" / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    kinds = [event["event"] for event in events]
    assert kinds[:2] == ["run", "start"] and kinds[-1] == "finished"
    assert [event["round"] for event in events if event["event"] == "round"] == [1, 2]
    assert sorted((event["round"], event["rank"]) for event in events if event["event"] == "client") == [
        (1, 1), (1, 2), (2, 1), (2, 2)]
    assert all("time" in event for event in events)


def test_results_keep_the_reference_systems_keys(fedtune, run_arguments, results_of):
    fedtune.run(*run_arguments("a"))
    results = results_of("a")
    assert set(results) == {"config", "results", "elapsed_time_secs", "fedtune"}
    assert set(results["results"]) == {
        "losses_distributed", "losses_centralized", "metrics_distributed_fit", "metrics_distributed",
        "metrics_centralized"}
    assert results["results"]["losses_centralized"] == []
    assert results["results"]["metrics_centralized"] == {}
    assert [entry[0] for entry in results["results"]["losses_distributed"]] == [1, 2]
    assert [entry[0] for entry in results["results"]["metrics_distributed"]["accuracy"]] == [1, 2]
    flags = {"num_clients", "num_rounds", "lora_r", "client_epochs", "teacher_pretrain_epochs", "kd_epochs",
             "teacher_ckpt", "client_ckpt", "teacher_data_pct", "client_lr", "distill_lr", "rank", "data_path",
             "data_name"}
    assert flags <= set(results["config"])
    assert results["config"]["client_lr"] == 5e-3


def test_results_say_what_the_run_cost_and_reached(fedtune, run_arguments, results_of):
    fedtune.run(*run_arguments("a"))
    ours = results_of("a")["fedtune"]
    assert (ours["schema"], ours["scheme"], ours["seed"]) == (1, "fedlora", 0)
    assert [entry["round"] for entry in ours["metrics"]] == [0, 1, 2]
    assert all({"loss", "accuracy", "mcc", "f1"} <= set(entry) for entry in ours["metrics"])
    # 2 layers, query and value, r 8: A [8, 32] and B [32, 8] each; the classifier [2, 32] and its bias; two clients.
    sent = 2 * 4 * (4 * 2 * 8 * 32 + 2 * 32 + 2)
    assert ours["bytes"] == [{"round": r, "up": sent, "down": sent} for r in (1, 2)]
    assert all(set(entry) == {"round", "train", "aggregate", "distil", "evaluate", "wait"} for entry in ours["seconds"])
    assert all(entry["value"] > 0 for entry in ours["sentences_per_second"])
    assert ours["peak_rss_bytes"] > 10_000_000
    assert ours["public"] == {"sentences": 40}
    assert [client["rank"] for client in ours["clients"]] == [1, 2]
    assert [client["sentences"] for client in ours["clients"]] == [39, 41]  # 33 % and 34 % of 120
    assert [client["batches"] for client in ours["clients"]] == [5, 6]
    assert all(sum(client["labels"]) == client["sentences"] for client in ours["clients"])
    assert 0.5 <= ours["majority_accuracy"] < 1
    assert len(ours["final_sha256"]) == len(ours["checkpoints"]["client"]) == len(ours["checkpoints"]["tokenizer"]) == 64


def test_training_leaves_the_majority_behind(fedtune, run_arguments, results_of):
    fedtune.run(*run_arguments("a", scheme="fedavg", client_lr="3e-3", num_rounds=4, client_epochs=2))
    ours = results_of("a")["fedtune"]
    assert ours["metrics"][-1]["accuracy"] > ours["majority_accuracy"] + 0.2
    assert ours["metrics"][-1]["mcc"] > 0.6


@pytest.mark.parametrize("partition", ["percent", "rows", "iid", "dirichlet", "quantity"])
def test_every_partition_gives_each_sentence_to_one_party(fedtune, run_arguments, results_of, partition):
    fedtune.run(*run_arguments("a", partition=partition, num_clients=3, num_rounds=1, teacher_data_pct=10))
    ours = results_of("a")["fedtune"]
    assert ours["public"]["sentences"] == 12
    assert sum(client["sentences"] for client in ours["clients"]) == 108
    assert len(ours["clients"]) == 3


def test_more_clients_than_per_cents_get_equal_rows_and_the_user_is_told(fedtune, run_arguments, results_of):
    done = fedtune.run(*run_arguments("a", num_clients=60, num_rounds=1, teacher_data_pct=50))
    assert [client["sentences"] for client in results_of("a")["fedtune"]["clients"]] == [1] * 60
    assert "rows" in done.stdout


def test_a_fraction_of_the_clients_trains_each_round(fedtune, run_arguments, tmp_path):
    fedtune.run(*run_arguments("a", num_clients=4, fraction_fit=0.5, num_rounds=3))
    lines = (tmp_path / "results" / "a" / "events.jsonl").read_text().splitlines()
    cohorts = [json.loads(line)["cohort"] for line in lines if '"round_start"' in line]
    assert [len(cohort) for cohort in cohorts] == [2, 2, 2]


def test_the_public_share_is_cut_first_and_never_trained_on(fedtune, run_arguments, results_of):
    fedtune.run(*run_arguments("a", teacher_data_pct=0))
    ours = results_of("a")["fedtune"]
    assert ours["public"]["sentences"] == 0
    assert [client["sentences"] for client in ours["clients"]] == [60, 60]


def test_max_train_sentences_keeps_the_first_rows(fedtune, run_arguments, results_of):
    fedtune.run(*run_arguments("a", max_train_sentences=50, teacher_data_pct=20))
    ours = results_of("a")["fedtune"]
    assert ours["public"]["sentences"] + sum(client["sentences"] for client in ours["clients"]) == 50


def test_a_tune_slice_is_cut_before_any_share_and_the_validation_file_is_not_opened(
    fedtune, run_arguments, results_of, dataset_copy):
    (dataset_copy / "validation.tsv").write_bytes(b"not a table \xff")
    fedtune.run(*run_arguments("a", data_path=dataset_copy, max_train_sentences=100, tune_slice=10, num_rounds=1))
    ours = results_of("a")["fedtune"]
    assert ours["public"]["sentences"] + sum(client["sentences"] for client in ours["clients"]) == 90
    assert results_of("a")["config"]["tune_slice"] == 10


def test_training_sentences_of_one_label_are_noted(fedtune, run_arguments, dataset_copy):
    note = "note: all 40 training sentences have the label 0"
    rows = [(text, 0) for text, _ in sentences(40, seed=1)]
    write_tsv(dataset_copy / "train.tsv", rows)
    assert note in fedtune.run(*run_arguments("a", data_path=dataset_copy, num_rounds=1)).stdout
    write_tsv(dataset_copy / "train.tsv", rows[1:] + [("it is good", 1)])
    assert "training sentences have" not in fedtune.run(*run_arguments("b", data_path=dataset_copy, num_rounds=1)).stdout


def test_target_modules_choose_the_layers(fedtune, run_arguments, tmp_path):
    fedtune.run(*run_arguments("a", target_modules="key", num_rounds=1))
    names = layout(tmp_path / "results" / "a" / "adapter" / "adapter_model.safetensors")
    adapted = [name for name in names if "lora_A" in name]
    assert len(adapted) == 2 and all(".key." in name for name in adapted)


def test_without_its_head_a_client_sends_adapters_alone(fedtune, run_arguments, models, results_of):
    fedtune.run(*run_arguments("a", train_head="none", num_rounds=1))
    assert results_of("a")["fedtune"]["bytes"][0]["up"] == 2 * 4 * (4 * 2 * 8 * 32)


def test_a_low_rank_head_sends_less_and_is_merged_in_the_adapter(fedtune, run_arguments, models, results_of, tmp_path):
    common = {"client_ckpt": models["distilbert"], "lora_r": 2, "num_rounds": 1}
    fedtune.run(*run_arguments("full", **common))
    fedtune.run(*run_arguments("low", train_head="low-rank", **common))
    up = {name: results_of(name)["fedtune"]["bytes"][0]["up"] for name in ("full", "low")}
    assert up["low"] < up["full"]
    file = "adapter/adapter_model.safetensors"
    assert layout(tmp_path / "results" / "low" / file) == layout(tmp_path / "results" / "full" / file)


def test_weight_by_sentences_changes_an_uneven_average(fedtune, run_arguments, results_of):
    uneven = {"partition": "quantity", "num_rounds": 1, "alpha": 0.3}
    fedtune.run(*run_arguments("batches", **uneven))
    fedtune.run(*run_arguments("sentences", weight_by="sentences", **uneven))
    assert results_of("batches")["fedtune"]["final_sha256"] != results_of("sentences")["fedtune"]["final_sha256"]


def test_compare_central_adds_the_controls(fedtune, run_arguments, results_of):
    done = fedtune.run(*run_arguments("a", compare_central=True))
    controls = results_of("a")["fedtune"]["controls"]
    assert len(controls) == 4  # centralised, the mean of the local ones, two clients
    assert "centralised" in done.stdout and "local" in done.stdout


def test_the_end_of_a_run_is_a_summary(fedtune, run_arguments, results_of):
    done = fedtune.run(*run_arguments("a"))
    ours = results_of("a")["fedtune"]
    for expected in ("accuracy", "majority", "MCC", "per client and round", ours["final_sha256"], "results/a/adapter"):
        assert expected in done.stdout
    assert len([line for line in done.stdout.splitlines() if line.startswith("round ")]) == 2
    assert "\x1b" not in done.stdout


def test_a_profile_says_where_the_time_of_each_kind_of_step_goes(fedtune, kd_arguments, run_arguments):
    printed = fedtune.run(*kd_arguments("taught", num_rounds=2), "--profile").stdout
    for kind in ("client", "teacher", "distillation"):
        steps, block = re.search(rf"^{kind} steps: (\d+), [\d.]+ ms each\n((?:  .*\n)+)", printed, re.M).groups()
        assert int(steps) > 0
        shares = dict(re.findall(r"^  (.*?) +([\d.]+) %", block, re.M))
        assert sum(map(float, shares.values())) == pytest.approx(100, abs=1)
        assert {"matrix products", "attention", "norms", "activations", "embeddings", "loss", "optimiser", "batch",
                "rest"} <= set(shares) and ("adapters" in shares) == (kind != "teacher")
        assert re.search(r"matrix products.* GF/s", block)
    assert "steps:" not in fedtune.run(*run_arguments("without")).stdout


def test_a_profile_of_a_command_that_takes_no_step_is_refused(fedtune, tmp_path):
    assert "--profile" in fedtune.error("inspect", tmp_path, "--profile", code=2)


def test_quiet_prints_nothing(fedtune, run_arguments):
    done = fedtune.run(*run_arguments("a", quiet=True))
    assert (done.stdout, done.stderr) == ("", "")


def test_a_run_without_a_name_is_called_by_its_date(fedtune, run_arguments, tmp_path):
    fedtune.run(*run_arguments(None, num_rounds=1))
    (folder,) = [path for path in (tmp_path / "results").iterdir() if path.is_dir()]
    assert folder.name[4] == "-" and folder.name[10] == "_" and (folder / "results.json").exists()
