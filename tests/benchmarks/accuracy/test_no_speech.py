"""What is written where nobody speaks is counted by sound."""

from benchmarks.accuracy import no_speech


def rows(out):
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in out.splitlines()]
    return {row[0]: row[1:] for row in cells if row}


def test_silence_has_no_words(capsys, monkeypatch):
    monkeypatch.setattr(no_speech, "_PIECE_S", 5.0)
    no_speech.main(["--minutes", "1", "--phrases", "300"])
    assert rows(capsys.readouterr().out)["silence"] == ["0"] * 8


def test_words_are_counted(capsys, monkeypatch):
    monkeypatch.setattr(no_speech, "written", lambda *_: [("5-0.5-0.5, phrases", "two words")])
    monkeypatch.setattr(no_speech, "_PIECE_S", 1.0)
    no_speech.main(["--minutes", "10"])
    assert rows(capsys.readouterr().out)["hum"] == ["0"] * 6 + ["4", "0"]
