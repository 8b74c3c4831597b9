"""Pictures as Chromium shows them."""

import base64
import json

from chromium import Page

# Where pixels are compared: shares of width and height, away from the edges between the parts of a picture.
PLACES = [(x, y) for x in (0.1, 0.25, 0.4, 0.6, 0.75, 0.9) for y in (0.1, 0.25, 0.4, 0.6, 0.75, 0.9)]

SIZES = """(urls => Promise.all(urls.map(async url => {
  const image = new Image();
  image.src = url;
  try { await image.decode(); } catch { return null; }
  return [image.naturalWidth, image.naturalHeight];
})))(%s)"""

PIXELS = """(async (url, places) => {
  const image = new Image();
  image.src = url;
  try { await image.decode(); } catch { return null; }
  const canvas = document.createElement("canvas");
  const [width, height] = [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const at = ([x, y]) => [...context.getImageData(Math.floor(x * width), Math.floor(y * height), 1, 1).data];
  return [width, height, places.map(at)];
})(%s, %s)"""


def evaluate(page, script):
    """The value of a promise."""
    result = page.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
    assert "exceptionDetails" not in result, result["exceptionDetails"]
    return result["result"].get("value")


def sizes(page, urls):
    """Width and height of each picture, None of one that Chromium does not show."""
    found = []
    for at in range(0, len(urls), 20):
        found += evaluate(page, SIZES % json.dumps(urls[at : at + 20]))
    return found


def pixels(page, data, kind):
    """Width, height and the pixels of some places, None if Chromium does not show the picture."""
    url = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    return evaluate(page, PIXELS % (json.dumps(url), json.dumps(PLACES)))


def difference(one, other):
    """The largest difference of two pixels in a channel; colours count as much as they are seen."""
    seen = [[c * p[3] / 255 for c in p[:3]] + [p[3]] for p in (one, other)]
    return max(abs(a - b) for a, b in zip(*seen))


def open_page():
    page = Page()
    page.socket.settimeout(120)
    return page
