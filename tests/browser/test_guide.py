"""The first sentence, things to try, the help, and the words behind an (i)."""

from playwright.sync_api import expect


def test_the_first_sentence_goes_once_the_visitor_has_begun(visit):
    visitor = visit(first=True)
    page = visitor.page
    welcome, maps = page.locator("#welcome"), page.locator("#maps")
    expect(welcome).to_contain_text("See a month of climate as 100 numbers")
    # It takes no room from the maps, and covers none.
    before, card = maps.bounding_box(), welcome.bounding_box()
    assert card["x"] + card["width"] <= before["x"]
    # How the page looks is no beginning.
    page.locator("#theme").click()
    visitor.asks(theme="dark")
    expect(welcome).to_be_visible()
    # A link for every browser, and without loading the page where it need not be.
    page.evaluate("window.stays = true")
    chip = welcome.get_by_role("link", name="Ten stations")
    assert chip.get_attribute("href") == "?bundle=speedy&stations=10&column=spread"
    chip.click()
    visitor.asks(stations="10", column="spread", theme="dark")
    assert page.evaluate("window.stays")
    expect(welcome).to_be_hidden()
    assert maps.bounding_box() == before
    # As on a first visit.
    page.locator("#again").click()
    visitor.asks(stations=None, theme="dark")
    expect(welcome).to_be_visible()
    page.get_by_role("button", name="Next month").click()
    visitor.asks(month="1998-01")
    expect(welcome).to_be_hidden()
    # Whoever has begun once is greeted no more.
    page.goto(page.url.split("?")[0])
    expect(page.locator("#help")).to_be_visible()
    expect(welcome).to_be_hidden()


def test_help_is_a_key_away_and_the_page_behind_it_hears_none(revisit):
    visitor = revisit("?tool=observe")
    page = visitor.page
    guide = page.locator("#guide")
    page.keyboard.press("?")
    expect(guide).to_be_visible()
    expect(guide).to_contain_text("makes of it from the marked stations")
    # Radio buttons: the arrows go from part to part.
    page.keyboard.press("ArrowRight")
    expect(guide.locator("[data-term=spread]")).to_contain_text("posterior standard deviation")
    guide.get_by_role("searchbox").fill("leave-one-out")
    expect(guide.locator(".words dl > div:visible")).to_have_count(1)
    guide.get_by_role("radio", name="About").check()
    expect(guide).to_contain_text("BSD 3-clause licence")
    expect(guide).to_contain_text("SPEEDY under the observed sea")
    page.keyboard.press("Escape")
    expect(guide).to_be_hidden()
    # Typed into an input it is a question mark.
    visitor.form.get_by_label("lat", exact=True).press("?")
    expect(guide).to_be_hidden()


def test_an_i_explains_its_term_and_leads_to_all_words(revisit):
    visitor = revisit("?tool=observe&network=stations")
    page = visitor.page
    word, asked = page.locator("#word"), visitor.form.get_by_label("What is: localisation radius?")
    asked.focus()
    page.keyboard.press("Enter")
    expect(word).to_contain_text("half-width of the taper of covariances")
    page.keyboard.press("Escape")
    expect(word).to_be_hidden()
    expect(asked).to_be_focused()
    asked.click()
    expect(word).to_be_visible()
    asked.click()
    expect(word).to_be_hidden()
    asked.click()
    word.get_by_role("button", name="All words").click()
    expect(page.locator("#guide .found dt")).to_contain_text("localisation radius")
    page.locator("#guide .close").click()
    # The heading's follows what the column shows.
    page.locator(".shows-column select").select_option(label="Spread")
    expect(page.locator(".row.heads").get_by_label("What is: spread?")).to_be_visible()


def test_a_phone_has_a_button_in_the_place_of_the_sentence(visit):
    visitor = visit(first=True, width=390, height=844)
    page = visitor.page
    expect(page.locator("#welcome")).to_be_hidden()
    page.get_by_role("button", name="What is this?").click()
    guide = page.locator("#guide")
    expect(guide.get_by_role("link", name="without its El Niño")).to_be_visible()
    assert guide.evaluate("(e) => e.scrollWidth <= e.clientWidth")
    page.keyboard.press("Escape")
    expect(guide).to_be_hidden()
