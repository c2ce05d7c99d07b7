import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { User } from '../../accounts/user.ts'
import type { InitialPassword } from '../../accounts/user-administration.ts'
import { isWellFormedText } from '../../oauth/text.ts'
import { invalidQuery, readLimit } from '../audit-schema.ts'
import { emailMember, nameText, readProfile, usernameText } from '../auth/user-schema.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import { accountReference, toWireAccount } from './account-schema.ts'
import { type AdminDeps, administering, adminProblems, adminRoute } from './admin-deps.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'

const searchSchema = {
  querystring: Type.Object(
    {
      q: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 254,
          description: 'How the email address, the username or the full name begins',
        }),
      ),
      status: Type.Optional(
        Type.Unsafe<User['status']>({ type: 'string', enum: ['active', 'disabled', 'deleted'] }),
      ),
      role: Type.Optional(Type.String({ maxLength: 64 })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
      cursor: Type.Optional(Type.String({ description: '`next_cursor` of the page before' })),
    },
    { additionalProperties: false },
  ),
  response: {
    200: Type.Object(
      {
        users: Type.Array(accountReference),
        next_cursor: Type.Unsafe<string | null>({
          type: ['string', 'null'],
          description: 'null: there are no more',
        }),
      },
      { description: 'In the order of email addresses' },
    ),
    ...problemResponses(...adminProblems, 'validation'),
  },
}

const showSchema = {
  params: Type.Object({ id: Type.String() }),
  response: { 200: accountReference, ...problemResponses(...adminProblems, 'not_found') },
}

const initialPasswordSchema = (description: string) =>
  Type.Object(
    {
      user: accountReference,
      initial_password: Type.String({
        description: 'Shown this once; good for a day, and for nothing but to be changed',
      }),
    },
    { description },
  )

const createSchema = {
  body: Type.Object(
    {
      email: emailMember,
      username: Type.Optional(Type.String({ description: usernameText })),
      name: Type.Optional(Type.String({ description: nameText })),
      given_name: Type.Optional(Type.String({ description: nameText })),
      family_name: Type.Optional(Type.String({ description: nameText })),
      roles: Type.Optional(
        Type.Array(Type.String(), { maxItems: 50, description: '`user` by default' }),
      ),
    },
    { additionalProperties: false },
  ),
  response: {
    201: initialPasswordSchema('Created'),
    ...problemResponses(...adminProblems, ...bodyProblems, 'email_taken', 'username_taken'),
  },
}

const initialSchema = {
  params: Type.Object({ id: Type.String() }),
  response: {
    200: initialPasswordSchema('All sessions are ended'),
    ...problemResponses(...adminProblems, ...bodyProblems, 'not_found', 'own_account'),
  },
}

/** `/admin/users`: search, show, create, and the password for a first sign-in. */
export const users: FastifyPluginAsyncTypebox<AdminDeps> = async (app, deps) => {
  const { delegatedAdministration, userAdministration } = deps

  app.get(
    '/admin/users',
    { ...adminRoute('users.read', 'Search accounts', searchSchema), preValidation: readLimit },
    async (request) => {
      const { q, status, role, limit = 50, cursor } = request.query
      const found = await userAdministration.searchUsers({
        ...(q === undefined ? {} : { text: checkText(q, 'q') }),
        ...(status === undefined ? {} : { status }),
        ...(role === undefined ? {} : { role: checkText(role, 'role') }),
        ...(cursor === undefined ? {} : { after: decodeCursor(cursor) }),
        limit,
      })
      return {
        users: found.users.map(toWireAccount),
        next_cursor: found.next === undefined ? null : encodeCursor(found.next),
      }
    },
  )

  app.get(
    '/admin/users/:id',
    adminRoute('users.read', 'Show an account', showSchema),
    async (request) => toWireAccount(await delegatedAdministration.show(request.params.id)),
  )

  app.post(
    '/admin/users',
    adminRoute(
      'users.write',
      'Create an account with a password that must be changed',
      createSchema,
    ),
    async (request, reply) => {
      const { email, roles } = request.body
      const account = { ...readProfile(request.body), email, ...(roles && { roles }) }
      const created = await delegatedAdministration.create(account, administering(request))
      return reply.code(201).send(toWireInitial(created))
    },
  )

  app.post(
    '/admin/users/:id/initial-password',
    adminRoute('users.write', 'A new password for a first sign-in', initialSchema),
    async (request) => {
      const { id } = request.params
      return toWireInitial(
        await delegatedAdministration.setInitialPassword(id, administering(request)),
      )
    },
  )
}

const toWireInitial = ({ user, password }: InitialPassword) => ({
  user: toWireAccount(user),
  initial_password: password,
})

const checkText = (text: string, field: string): string => {
  if (isWellFormedText(text)) return text
  throw invalidQuery(field, 'has characters that are not allowed')
}
