import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from notes.data.csv_table import load_csv, save_csv
from notes.data.diabetes import make_diabetes_like


def make(num_rows=759, seed=0):
    return make_diabetes_like(num_rows, generator=torch.Generator().manual_seed(seed))


def test_the_table_has_the_shape_of_the_file_in_the_notes():
    table = make()
    assert table.shape == (759, 9)
    assert table.dtype == torch.float32


def test_features_fill_the_range_and_labels_are_0_or_1():
    table = make()
    assert table[:, :-1].min() == pytest.approx(-1, abs=0.01)
    assert table[:, :-1].max() == pytest.approx(1, abs=0.01)
    assert table.abs().max() <= 1
    assert table[:, -1].unique().tolist() == [0, 1]


def test_about_six_in_ten_labels_are_1():
    assert make(20_000)[:, -1].mean() == pytest.approx(0.6, abs=0.02)


def test_the_seed_decides_the_table():
    assert torch.equal(make(seed=1), make(seed=1))
    assert not torch.equal(make(seed=1), make(seed=2))


def test_one_row_is_a_table():
    assert make(1).shape == (1, 9)


def test_no_rows_are_rejected():
    with pytest.raises(ValueError, match="num_rows must be at least 1, got 0"):
        make(0)


def test_a_curved_boundary_beats_a_straight_one_and_both_beat_guessing():
    train, test = make(2_000).numpy(), make(4_000, seed=1).numpy()
    straight = LogisticRegression().fit(train[:, :-1], train[:, -1])
    curved = SVC().fit(train[:, :-1], train[:, -1])
    score = straight.score(test[:, :-1], test[:, -1])
    assert 0.74 < score < 0.80
    assert score + 0.01 < curved.score(test[:, :-1], test[:, -1]) < 0.84


def test_the_table_survives_a_compressed_file(tmp_path):
    save_csv(tmp_path / "diabetes.csv.gz", make())
    assert torch.equal(load_csv(tmp_path / "diabetes.csv.gz"), make())


def test_the_number_of_rows_may_come_from_a_tensor_and_must_be_whole():
    assert make(torch.tensor(3)).shape == (3, 9)
    with pytest.raises(TypeError, match=r"num_rows must be an integer, got 3\.5"):
        make(3.5)
