// Few rows leave room below them: what else there is to see stands there. The parts need 280 pixels with their line.
const last = document.querySelector(".rows .row:last-child")
const room = last && innerHeight - last.getBoundingClientRect().bottom > 280
if (room && !document.documentElement.matches(".compact")) asked.text = "room"
