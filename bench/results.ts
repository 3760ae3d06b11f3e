import type { Finding, Report } from './row.ts'

export type Outcome = { readonly name: string; readonly report: Report }

const header = ['what', 'target', 'measured', 'peer in the same run', 'ratio', 'verdict']

const verdict = (finding: Finding): string =>
  finding.met === null ? '–' : finding.met ? 'met' : '**missed**'

const cells = (finding: Finding): string[] => [
  finding.what,
  finding.target,
  finding.measured,
  finding.peer ?? '–',
  finding.ratio ?? '–',
  verdict(finding),
]

/** A Markdown table, its columns padded so that it can be read in a terminal too. */
export function table(findings: readonly Finding[]): string {
  const rows = [header, ...findings.map(cells)]
  const widths = header.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  const line = (row: readonly string[], fill = ' ') =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`
  const [top = [], ...rest] = rows.map(row => line(row))
  return [
    top,
    line(
      header.map(() => ''),
      '-',
    ),
    ...rest,
  ].join('\n')
}

type Facts = { readonly date: string; readonly machine: readonly string[]; readonly command: string }

/** The section of one row: when, where and how it was measured, the figures, and what they mean. */
function section({ name, report }: Outcome, { date, machine, command }: Facts): string {
  return [
    `## ${name}`,
    `Measured on ${date} by \`${command}\`. ${machine.join('. ')}.`,
    table(report.findings),
    report.notes.map(note => `* ${note}`).join('\n'),
  ].join('\n\n')
}

const introduction = [
  '# Benchmarks',
  'To reproduce: `npm ci`, then `npm run bench` on an idle machine measures everything anew; `npm run bench -- --write get-operation cancel` replaces the sections of some rows. `--quick` shows in a minute or two that everything runs, its numbers mean nothing. Each row starts the real program as a process of its own, on a free port, with a data folder of its own and, unless its note says otherwise, the default configuration with two threads.',
]

/**
 * The whole of RESULTS.md: the rows that were measured now, and those of before that were not.
 * @param before the present text  @param names of all rows, in order
 */
export function document(
  before: string,
  names: readonly string[],
  outcomes: readonly Outcome[],
  facts: Facts,
): string {
  const kept = before.split(/^(?=## )/m).slice(1)
  const sections = names.flatMap(name => {
    const outcome = outcomes.find(measured => measured.name === name)
    if (outcome !== undefined) return [section(outcome, facts)]
    return kept.filter(text => text.startsWith(`## ${name}\n`)).map(text => text.trimEnd())
  })
  return [...introduction, ...sections].join('\n\n').concat('\n')
}
