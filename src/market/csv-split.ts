/**
 * The cells of a line, without the blanks round them and the quotes about them (RFC 4180: `""` is a quote).
 * @returns null when the quotes do not match
 */
export function splitLine(line: string, delimiter: string): string[] | null {
  if (!line.includes('"')) return line.split(delimiter).map(cell => cell.trim())
  const cells: string[] = []
  let at = 0
  for (;;) {
    while (line[at] === ' ') at++
    const cell = line[at] === '"' ? quotedCell(line, at) : plainCell(line, at, delimiter)
    if (cell === null) return null
    cells.push(cell.text)
    at = cell.end
    while (line[at] === ' ' && delimiter !== ' ') at++
    if (at >= line.length) return cells
    if (line[at] !== delimiter) return null
    at++
  }
}

type Cell = { readonly text: string; readonly end: number }

function quotedCell(line: string, start: number): Cell | null {
  let text = ''
  let at = start + 1
  for (;;) {
    const quote = line.indexOf('"', at)
    if (quote === -1) return null
    text += line.slice(at, quote)
    if (line[quote + 1] !== '"') return { text: text.trim(), end: quote + 1 }
    text += '"'
    at = quote + 2
  }
}

function plainCell(line: string, start: number, delimiter: string): Cell | null {
  const next = line.indexOf(delimiter, start)
  const end = next === -1 ? line.length : next
  const text = line.slice(start, end)
  return text.includes('"') ? null : { text: text.trim(), end }
}

/** 1-based character at which a cell's text begins; null in a line with quotes, where cells are not what is written. */
export function characterOf(line: string, cell: number, delimiter: string): number | null {
  if (line.includes('"')) return null
  const cells = line.split(delimiter)
  const text = cells[cell]
  if (text === undefined) return null
  const before = cells.slice(0, cell).reduce((sum, other) => sum + other.length + 1, 0)
  return before + (text.length - text.trimStart().length) + 1
}
