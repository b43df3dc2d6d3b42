// What takes long: exact states and analyses, beside the page.
import { Analyses } from "./analysis.js"
import { Climate } from "./climate.js"
import { fetched } from "./files.js"

/** @type {any} */
let about
/** @type {Record<string, any>} */
let decoder
/** @type {Promise<any> | undefined} */
let statistics
/** @type {Map<number, Climate>} */
const climates = new Map()
/** @type {Map<number, Promise<Analyses>>} */
const analyses = new Map()
let newest = 0

/** @param {number} month */
function climate(month) {
  if (!climates.has(month)) climates.set(month, new Climate(about, decoder, month))
  return /** @type {Climate} */ (climates.get(month))
}

/** @param {number} month */
async function analysesOf(month) {
  const own = climate(month)
  statistics ??= fetched(about.files.statistics)
  const parts = await fetched(about.files[`analysis-${String(month).padStart(2, "0")}`])
  return new Analyses(about.shape, { ...(await statistics), ...parts }, own.decoder)
}

const breath = () => new Promise((resolve) => { setTimeout(resolve) })

/** @type {Record<string, (given: any, answer: (said: any) => void) => Promise<void>>} */
const TASKS = {
  async open(given, answer) {
    about = given.about
    decoder = await fetched(about.files.decoder)
    answer({ ready: true })
  },
  async decode({ month, z }, answer) {
    const own = climate(month), { x } = own.decoder.decode(z)
    answer({ x, anomalies: own.anomalies(x, own.parts.residualSd), z })
  },
  async analyse({ month, observations, id }, answer) {
    if (!analyses.has(month)) analyses.set(month, analysesOf(month))
    const own = climate(month)
    for (const step of (await /** @type {Promise<Analyses>} */ (analyses.get(month))).run(observations)) {
      if (step.done) {
        const x = /** @type {Float32Array} */ (step.x), sd = /** @type {Float32Array} */ (step.sd)
        answer({ ...step, anomalies: own.anomalies(x, sd) })
      } else answer(step)
      // What was asked meanwhile is heard here: a newer question ends this one.
      await breath()
      if (newest !== id) return
    }
  },
}

self.addEventListener("message", async ({ data }) => {
  const answer = (/** @type {any} */ said) => self.postMessage({ id: data.id, task: data.task, ...said })
  if (data.task !== "open") newest = data.id
  try {
    await TASKS[data.task](data, answer)
  } catch (error) {
    if (data.task === "analyse") {
      // A file that could not be read is asked for again.
      analyses.delete(data.month)
      statistics = undefined
    }
    answer({ problem: error instanceof Error ? error.message : String(error) })
  }
})
