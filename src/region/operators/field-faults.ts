/** What is wrong with a request, by field, as MAAS tells it. */
export class FieldFaults extends Error {
  override readonly name = 'FieldFaults';
  readonly fields: Readonly<Record<string, readonly string[]>>;

  constructor(fields: Readonly<Record<string, readonly string[]>>) {
    super('some fields are wrong');
    this.fields = fields;
  }
}
