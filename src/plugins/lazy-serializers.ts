import SerializerSelector from '@fastify/fast-json-stringify-compiler'

/**
 * Builds the serializer of an answer when the first one is sent. A route describes an answer for
 * each of its errors, most of which are never sent: building them all was half of a start.
 */
export const lazySerializers: SerializerSelector.SerializerFactory = (externalSchemas, options) => {
  const compile = SerializerSelector()(externalSchemas, options)
  return (route) => {
    let serialize: SerializerSelector.Serializer | undefined
    return (answer) => {
      serialize ??= compile(route)
      return serialize(answer)
    }
  }
}
