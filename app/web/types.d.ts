// What the page's JavaScript is given by Panel, and what its parts share by the window.

/** A component's parameters on this side: read by their names; `on` is called when they change. */
interface Model {
  ack: number
  took: number
  ready: boolean
  on(name: string | string[], act: (event?: any) => void): void
  send_msg(message: unknown): void
  [name: string]: any
}

interface Message {
  type: string
  [name: string]: unknown
}

/** A box or lasso on a map, in its coordinates. */
type Drawing = { type: "rect", x0: number, x1: number, y0: number, y1: number } | { type: "poly", x: number[], y: number[] }

/** How the model's maps change with a latent: `Slope` of app/maps/slopes.py. */
interface Slope {
  k: number
  rates: Int8Array
  scales: ArrayLike<number>
  lows: ArrayLike<number>
  per_unit: ArrayLike<number>
}

interface Window {
  /** Answers awaited, by component. */
  mldaUnderWay?: Record<string, number>
  mldaChannels?: number
  /** What layout.js offers the bar. */
  pageLayout?: { preferred(): string; [name: string]: any }
  /** What guide.js offers: opens the help at one of its parts, and at a word. */
  pageGuide?: { open(part?: string, term?: string): void }
  /** What resting_pointer.js offers each new frame: an event where the pointer rests on a map. */
  mldaPointer?: { tell(type: string): void }
  /** What linear_preview.js offers the sliders and the server's frames. */
  mldaPreview?: {
    learn(given: Slope | null, maps: { image: any, cells: any, index: any }[]): void
    written(sources: Iterable<any>, z: ArrayLike<number>): void
    move(k: number, value: number): void
    release(): void
  }
  /** What table_focus.js offers the page. */
  keepFocusInTables?: () => void
  /** Bokeh's library, once it is loaded. */
  Bokeh?: { documents: { get_model_by_name(name: string): any, on_event(name: string, act: () => void): void }[]; [name: string]: any }
}
