// As much of a browser's window and document as the modules touch, for node.

class Target {
  constructor() {
    this.heard = new Map()
    this.told = []
  }
  addEventListener(name, act) { this.heard.set(name, [...(this.heard.get(name) ?? []), act]) }
  removeEventListener(name, act) { this.heard.set(name, (this.heard.get(name) ?? []).filter((a) => a !== act)) }
  dispatchEvent(event) {
    this.told.push(event.type)
    for (const act of this.heard.get(event.type) ?? []) act(event)
  }
}

// Put a new page in place of the last; most begin when the server listens.
export function page({ listens = true } = {}) {
  const attributes = new Set(listens ? ["data-listens"] : [])
  globalThis.window = new Target()
  globalThis.document = new Target()
  globalThis.document.documentElement = {
    hasAttribute: (name) => attributes.has(name),
    toggleAttribute: (name, on) => on ? attributes.add(name) : attributes.delete(name),
    dataset: {},
  }
  return {
    busy: () => attributes.has("data-busy"),
    has: (name) => attributes.has(name),
    told: () => globalThis.document.told,
  }
}
