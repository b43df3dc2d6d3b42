// What a pointer that rests is told is of this frame: see resting_pointer.js.
requestAnimationFrame(() => window.mldaPointer?.tell("pointermove"))
