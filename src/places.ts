// Where the files stand that are read as they are, beside what is compiled; reads none of them.

/** The folder of the sources, or of what was compiled of them. The one program that is made of all stands beside it, so that this holds there, too. */
export const SOURCES = new URL('../src/', import.meta.url)
