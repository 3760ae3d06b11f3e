import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { embedJson, escapeHtml, formatNumber } from '../../src/report/html.ts'
import { renderReport } from '../../src/report/report.ts'
import { thinOut } from '../../src/report/thin-out.ts'
import { sampleReport } from './sample-report.ts'

describe('the stand-alone report', () => {
  test('half a million bars and 20,000 trades fit into 2 MB', () => {
    const html = renderReport(sampleReport(525_600, 20_000))
    expect(Buffer.byteLength(html)).toBeLessThan(2_000_000)
    expect(html).toContain('The first 1000 of 20000 trades')
  })

  test('nothing in it points outside, and no text of the user becomes markup', () => {
    const html = renderReport(sampleReport(100, 3))
    expect(html.match(/(src|href)="(?!data:)[^"]*"/g)).toBeNull()
    expect(html).not.toContain('<script>alert')
    expect(html).toContain('sample &lt;strategy&gt;')
    expect(html).toContain('&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;')
  })

  test('every number is there in full for programs, and what is not defined says why', () => {
    const html = renderReport(sampleReport(100, 3))
    expect(html).toContain('data-value="1.2345678901234567"')
    expect(html).toContain('data-value="-0.0123456789"')
    expect(html).toContain('Not defined: fewer than two returns. Probability.')
    expect(html).toContain('-1.23 %')
  })

  test('warnings come before every number', () => {
    const html = renderReport(sampleReport(100, 3))
    expect(html.indexOf('Trading was free')).toBeLessThan(html.indexOf('class="tile"'))
  })

  test('the same input gives the same bytes', () => {
    expect(renderReport(sampleReport(5_000, 50))).toBe(renderReport(sampleReport(5_000, 50)))
  })
})

describe('what a page is made of', () => {
  test('thousands are set apart, and money has two digits', () => {
    expect([1234567.891, -1234.5, 0].map(value => formatNumber(value, 'currency'))).toEqual([
      '1,234,567.89',
      '-1,234.50',
      '0.00',
    ])
    expect(formatNumber(0.12345, 'fraction')).toBe('12.35 %')
    expect(formatNumber(1234, 'count')).toBe('1,234')
    expect(formatNumber(null, 'ratio')).toBe('–')
  })

  test('text is made harmless, data cannot end its element', () => {
    expect(escapeHtml(`<b a="x" b='y'>&`)).toBe('&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;')
    expect(embedJson({ a: '</script>', b: Number.NaN })).toBe('{"a":"\\u003c/script>","b":null}')
  })

  test('a thinned line keeps its ends, its highest and its lowest point, in order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 500 }),
        fc.integer({ min: 4, max: 60 }),
        (list, most) => {
          const values = Float64Array.from(list)
          const kept = [...thinOut(values, most)]
          expect(kept.length).toBeLessThanOrEqual(Math.max(most, 0))
          expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b))
          expect([kept[0], kept.at(-1)]).toEqual([0, values.length - 1])
          expect(Math.max(...kept.map(i => values[i] ?? 0))).toBe(Math.max(...values))
          expect(Math.min(...kept.map(i => values[i] ?? 0))).toBe(Math.min(...values))
        },
      ),
    )
  })
})
