"""Data that cannot be read or shared out: exit 3, with file and line."""

import subprocess

import pytest


@pytest.fixture
def refusal(fedtune, run_arguments, dataset_copy, tmp_path):
    """refusal(change...): what `run` says about the data set as it stands; no run folder is made."""

    def check(**changes) -> str:
        message = fedtune.error(*run_arguments("a", data_path=dataset_copy, **changes), code=3)
        assert not (tmp_path / "results").exists()
        return message

    return check


def replace_line(path, number: int, line: bytes) -> None:
    """Lines count from 1."""
    lines = path.read_bytes().split(b"\n")
    lines[number - 1] = line
    path.write_bytes(b"\n".join(lines))


@pytest.mark.parametrize("label", ["-1", "1.5", "yes", "", "99999999999"])
def test_a_label_that_is_none(refusal, dataset_copy, label):
    replace_line(dataset_copy / "train.tsv", 7, f"the film\t{label}".encode())
    assert "train.tsv, line 7" in refusal()


def test_a_label_outside_the_classes(refusal, dataset_copy):
    replace_line(dataset_copy / "validation.tsv", 3, b"the film\t2")
    assert "validation.tsv, line 3" in refusal()


@pytest.mark.parametrize("row", [b"the film", b"the film\t1\t1"])
def test_a_wrong_number_of_columns_names_file_and_line(refusal, dataset_copy, row):
    replace_line(dataset_copy / "train.tsv", 5, row)
    assert "train.tsv, line 5" in refusal()


def test_text_that_is_not_utf8_names_file_and_line(refusal, dataset_copy):
    replace_line(dataset_copy / "train.tsv", 9, b"the fi\xfflm\t1")
    message = refusal()
    assert "train.tsv, line 9" in message and "UTF-8" in message


def test_a_header_without_the_columns(refusal, dataset_copy):
    replace_line(dataset_copy / "train.tsv", 1, b"text\tclass")
    assert "train.tsv" in refusal()


@pytest.mark.parametrize("content", [b"", b"sentence\tlabel\n"])
def test_an_empty_file(refusal, dataset_copy, content):
    (dataset_copy / "train.tsv").write_bytes(content)
    assert "train.tsv" in refusal()


def test_a_missing_training_file(refusal, dataset_copy):
    (dataset_copy / "train.tsv").unlink()
    assert "train" in refusal()


def test_a_missing_validation_file(refusal, dataset_copy):
    (dataset_copy / "validation.tsv").unlink()
    assert "validation" in refusal()


def test_a_missing_folder(fedtune, run_arguments, tmp_path):
    assert "nowhere" in fedtune.error(*run_arguments("a", data_path=tmp_path / "nowhere"), code=3)


def test_two_training_files(refusal, dataset_copy):
    (dataset_copy / "train.csv").write_text("sentence,label\nthe film,1\n")
    assert "train" in refusal()


@pytest.mark.parametrize("partition", ["percent", "rows", "iid"])
def test_an_empty_share_names_the_client(refusal, partition):
    assert "client" in refusal(partition=partition, num_clients=15, max_train_sentences=10, teacher_data_pct=0)


def test_a_share_that_cannot_be_large_enough(refusal):
    assert "min-share" in refusal(partition="dirichlet", num_clients=4, min_share=1000)


def test_standard_input_that_is_not_utf8_names_the_lines(fedtune, models):
    command = [fedtune.path, "predict", "--client-ckpt", models["bert"]]
    done = subprocess.run(command, input=b"the film\n\xff\n", capture_output=True, timeout=60)
    assert done.returncode == 3 and b"UTF-8" in done.stderr
    assert b"standard input, lines 1 to 2" in done.stderr


def test_a_file_to_predict_that_is_missing(fedtune, models, tmp_path):
    assert "nowhere.txt" in fedtune.error("predict", tmp_path / "nowhere.txt", "--client-ckpt", models["bert"], code=3)


def test_inspecting_nothing(fedtune, tmp_path):
    assert "nowhere" in fedtune.error("inspect", tmp_path / "nowhere", code=3)
