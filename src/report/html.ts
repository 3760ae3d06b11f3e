/** Text with what HTML would read as markup made harmless, in elements and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

/** Data for a script element of type application/json: no markup can begin inside it. NaN and infinities become null. */
export function embedJson(data: unknown): string {
  return JSON.stringify(data).replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028')
}

/** What a number is measured in. Money is in account currency; `fraction` is 0.1 for 10 % and shown in percent. */
export type NumberUnit = 'fraction' | 'ratio' | 'days' | 'count' | 'currency'

/** A number for people to read; `–` where there is none. The same on every machine, whatever its language. */
export function formatNumber(value: number | null, unit: NumberUnit): string {
  if (value === null || !Number.isFinite(value)) return '–'
  switch (unit) {
    case 'fraction':
      return `${group((value * 100).toFixed(2))} %`
    case 'ratio':
      return group(value.toFixed(3))
    case 'days':
      return group(value.toFixed(1))
    case 'count':
      return group(Number.isInteger(value) ? String(value) : value.toFixed(2))
    case 'currency':
      return group(value.toFixed(2))
    default:
      return unit satisfies never
  }
}

/** A table cell with the number as people read it, and the whole number for programs in `data-value`. */
export function numberCell(value: number | null, unit: NumberUnit, title = ''): string {
  const sign = value !== null && value < 0 ? ' class="number negative"' : ' class="number"'
  const whole = value === null ? '' : ` data-value="${value}"`
  const told = title === '' ? '' : ` title="${escapeHtml(title)}"`
  return `<td${sign}${whole}${told}>${formatNumber(value, unit)}</td>`
}

/** Thousands apart. */
function group(digits: string): string {
  const [whole = '', fraction] = digits.split('.')
  if (whole.length <= 3) return digits
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? grouped : `${grouped}.${fraction}`
}
