/** A command cannot be done as asked. Says what is in the way; `hint` says what to do. */
export class Refusal extends Error {
  readonly hint: string

  constructor(message: string, hint: string) {
    super(message)
    this.name = 'Refusal'
    this.hint = hint
  }
}
