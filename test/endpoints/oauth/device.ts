import { type connect, register, type TestService } from '../../support/service.ts'
import { byOperator, postForm } from './requests.ts'

type Service = Pick<TestService, 'app' | 'deps'>

export const deviceGrantType = 'urn:ietf:params:oauth:grant-type:device_code'

/** A television: a public client that may use devices. */
export const createDeviceClient = async ({ deps }: Service, grantTypes: readonly string[] = []) => {
  const { client } = await deps.clientAdministration.create(
    {
      name: 'Television',
      authenticationMethod: 'none',
      grantTypes: [deviceGrantType, ...grantTypes],
      scope: ['read', 'write', 'account', 'offline_access'],
    },
    byOperator,
  )
  return client
}

type Begun = { readonly device_code: string; readonly user_code: string }

export const beginDevice = async (
  { app }: Service,
  client: { readonly id: string },
  form: object = {},
): Promise<Begun> =>
  (await postForm(app, '/device_authorization', { client_id: client.id, ...form })).json()

export const pollDevice = (
  { app }: Service,
  client: { readonly id: string },
  device_code: string,
  form: object = {},
) =>
  postForm(app, '/token', {
    ...{ grant_type: deviceGrantType, client_id: client.id, device_code, ...form },
  })

/** Somebody signed in who agrees, as the pages would have it. @returns who. */
export const approve = async (
  service: Service,
  db: Awaited<ReturnType<typeof connect>>,
  userCode: string,
) => {
  const person = await register(service.app)
  const [session] = await db
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', person.user.id)
    .execute()
  const { id = '' } = (await service.deps.deviceRequests.find(userCode)) ?? {}
  const login = { userId: person.user.id, sessionId: session?.id ?? '' }
  const by = { ...byOperator, actor: person.user.id }
  const approved = id !== '' && (await service.deps.deviceCodes.approve(id, login, by))
  if (!approved) throw new Error('the device does not wait')
  return { ...person, sessionId: session?.id ?? '' }
}
