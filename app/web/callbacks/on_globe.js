// Off the globe there is no cell, and nothing to say.
export default ({ cells }, _, { value }) => !(value >= cells)
