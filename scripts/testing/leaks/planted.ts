/** Secrets that a test gives to services and commands. Each is hard to find by chance. */
export const secrets = {
  databasePassword: 'Db+/=p@ss plant "1"',
  registryPassword: 'Rg%p@ss-plant:2',
  gatewayToken: 'gw-plant.3~token',
  carrierPassword: 'Ca-plant/4=',
  collectorToken: 'otlp-plant-5-key',
  kafkaPassword: 'ka#plant-6!pass',
  wrongPassword: 'wrong-plant-7-pass',
  rabbitmqPassword: 'Rq/pl@nt 8+pass%',
  sqsSecret: 'sqs/plant+9/secret/key',
  sessionToken: 'aws-plant-10//session+token==',
}

/** What a customer says; each text is somewhere in an order, a cancellation or a request. */
export const personal = {
  recipient: 'Ottoline Quackenbush',
  street: 'Marzipan Row 7731',
  city: 'Wexcombe-on-Plant',
  postalCode: 'QX7 9ZZ',
  reason: 'my neighbour Barnabas moved',
  paymentMethod: 'card_plant_accepted_8841',
  cardNumber: '4929123412341238',
}

/** The part of an order that says where it goes. */
export function address() {
  const { recipient, street, city, postalCode } = personal
  return { recipient, street, city, postalCode }
}

/** The forms in which a text can stand in another one, or inside a header. */
const formsOf = (text: string): string[] => [
  text,
  encodeURIComponent(text),
  Object.assign(new URL('http://h'), { password: text }).password,
  JSON.stringify(text).slice(1, -1),
  ...[0, 1, 2].map((shift) => base64Within(text, shift)),
]

/** The part of a text's base64 that does not depend on what stands around it, when it begins `shift` bytes into a group. */
function base64Within(text: string, shift: number): string {
  const encoded = Buffer.from('\0'.repeat(shift) + text).toString('base64')
  return encoded.slice(shift === 0 ? 0 : 4, Math.floor((Buffer.byteLength(text) + shift) / 3) * 4)
}

/** Names of the planted texts that stand in a text, with what stands around them. */
export function leaksIn(text: string, planted: Readonly<Record<string, string>>): string[] {
  return Object.entries(planted).flatMap(([name, value]) =>
    [...new Set(formsOf(value))].flatMap((form) => {
      const at = text.indexOf(form)
      return at < 0 ? [] : [`${name}: …${text.slice(Math.max(0, at - 120), at + form.length + 60)}…`]
    }),
  )
}
