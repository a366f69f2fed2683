/** What was imported. */
export interface ImportedModel {
  readonly directory: string
  readonly parameters: number
  readonly layers: number
  readonly vocabularySize: number
}
