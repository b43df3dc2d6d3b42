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

// Put a new page in place of the last.
export function page() {
  const attributes = new Set()
  globalThis.window = new Target()
  globalThis.document = new Target()
  globalThis.document.documentElement = {
    toggleAttribute: (name, on) => on ? attributes.add(name) : attributes.delete(name),
    dataset: {},
  }
  return {
    busy: () => attributes.has("data-busy"),
    has: (name) => attributes.has(name),
    told: () => globalThis.document.told,
  }
}
