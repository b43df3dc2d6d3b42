"""The panel in the browser."""

from visiting import send

from app.learn.component import Game, Learn


def test_it_hands_messages_on():
    heard = []
    made = Learn(heard.append)
    send(made, type="lesson", value="list")
    assert heard == [[{"type": "lesson", "value": "list"}]]
    assert "export function progress" not in made._esm
    assert "const progress" in made._esm or "function progress" in made._esm


def test_the_game_hands_messages_on_and_keeps_its_rounds_in_the_browser():
    heard = []
    made = Game(heard.append)
    send(made, type="game-score")
    assert heard == [[{"type": "game-score"}]]
    assert "function rounds" in made._esm
    assert "localStorage" in made._esm
