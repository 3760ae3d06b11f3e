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

/** The whole of RESULTS.md. */
export function document(outcomes: readonly Outcome[], { date, machine, command }: Facts): string {
  const findings = outcomes.flatMap(({ report }) => report.findings)
  const notes = outcomes.map(
    ({ name, report }) => `### ${name}\n\n${report.notes.map(note => `* ${note}`).join('\n')}`,
  )
  return [
    '# Benchmarks',
    `Measured on ${date} by \`${command}\`.`,
    machine.map(fact => `* ${fact}`).join('\n'),
    'To reproduce: `npm ci`, then `npm run bench` on an idle machine writes this file anew. `npm run bench -- get-operation cancel` runs some rows and only prints; `--quick` shows in a minute or two that everything runs, its numbers mean nothing. Each row starts the real program as a process of its own, on a free port, with a data folder of its own and, unless its note says otherwise, the default configuration with two threads.',
    '## Results',
    table(findings),
    '## Workloads',
    ...notes,
  ]
    .join('\n\n')
    .concat('\n')
}
