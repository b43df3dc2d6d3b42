"""What is shown is taken away by the bar's menu: a figure, netCDF and tables."""

import csv
import re
from pathlib import Path

import netCDF4
import pytest
from PIL import Image
from playwright.sync_api import expect

FEW = "?tool=observe&model=analysis&network=stations&stations=20"
# A figure takes ten seconds of one core, and a test machine may have ten times more work.
LONG = 240_000

pytestmark = pytest.mark.timeout(600)


def taken(visitor, choice, tmp_path, limit=LONG):
    """Choose something of the menu, and return the path of the file that comes."""
    page = visitor.page
    page.locator("#download").click()
    with page.expect_download(timeout=limit) as waiting:
        page.locator(f"#downloads {choice}").click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_netcdf_table_and_figure_come_through_the_menu(visit, tmp_path):
    v = visit(FEW)
    path = taken(v, "[data-file=netcdf]", tmp_path)
    assert path.name == "mlda-1997-12-analysis.nc"
    with netCDF4.Dataset(path) as data:
        assert data.Conventions.startswith("CF")
        assert data["tas_increment"].shape == (1, 48, 96)
        assert data.groups["observations"].dimensions["observation"].size == 40
    v.says("Saved as mlda-1997-12-analysis.nc.")

    path = taken(v, "[data-table=observations]", tmp_path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 40
    assert {row["time"] for row in rows} == {"1997-12"}
    assert all(row["standardised_departure"] and row["units"] for row in rows)

    # The row that is enlarged, and no other.
    row = v.page.locator("main .row[data-variable=tas]")
    row.locator(".enlarge").click()
    expect(row).to_have_class("row large")
    path = taken(v, "[data-figure=png]", tmp_path)
    assert path.name == "mlda-1997-12-maps-tas.png"
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert round(picture.info["dpi"][0]) == 300
        assert "Target (left) and analysis (right) of 1997-12" in picture.info["Description"]
        assert picture.width > 1500


def test_the_menu_is_worked_by_keys_and_says_what_is_open(visit, tmp_path):
    v = visit("?tool=explore")
    page, opener = v.page, v.page.locator("#download")
    expect(page.locator("#tables")).to_be_hidden()
    opener.focus()
    page.keyboard.press("Enter")
    expect(opener).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#downloads [data-figure=png]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#downloads")).to_be_hidden()
    expect(opener).to_be_focused()
    # An open part of the results is a table of the menu.
    page.locator("footer label").filter(has_text=re.compile("^Series$")).click()
    v.settle()
    path = taken(v, "[data-table=series]", tmp_path)
    with Path(path).open(newline="") as file:
        first = next(csv.DictReader(file))
    assert first["time"] == "1979-01"
    assert first["units"]


def test_on_a_phone_it_is_in_the_menu_of_what_has_no_room(visit, tmp_path):
    v = visit("?tool=explore", width=390, height=844)
    page = v.page
    page.locator("#more").click()
    path = taken(v, "[data-file=netcdf]", tmp_path)
    assert path.name == "mlda-1997-12-state.nc"
    expect(page.locator("#menu")).to_be_hidden()
    expect(page.locator("#more")).to_be_focused()


def test_a_film_is_begun_and_stopped_by_the_menu(visit):
    v = visit(FEW)
    opener, menu = v.page.locator("#download"), v.page.locator("#downloads")
    opener.click()
    expect(menu.locator("[data-stop]")).to_be_hidden()
    menu.locator("[data-film='60']").click()
    v.says("Drawing the film")
    expect(opener).to_have_attribute("aria-busy", "true")
    opener.click()
    expect(menu.locator("[data-film='60']")).to_be_disabled()
    menu.locator("[data-stop]").click()
    v.says("The film was stopped.")
    expect(opener).to_have_attribute("aria-busy", "false")
