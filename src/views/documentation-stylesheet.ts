/** Makes the API page usable on a phone: what is wide scrolls by itself or wraps. */
export const documentationStylesheet = `.swagger-ui .wrapper { padding: 0 0.75rem; }
.swagger-ui .opblock-summary-path { overflow-wrap: anywhere; max-width: 100%; }
.swagger-ui .opblock-body, .swagger-ui .table-container, .swagger-ui .responses-inner { overflow-x: auto; }
.swagger-ui .info { margin: 1.5rem 0; overflow-wrap: anywhere; }
.swagger-ui .dialog-ux .modal-ux { min-width: 0; width: calc(100% - 2rem); max-width: 40rem; }
@media (max-width: 40rem) {
  .swagger-ui .opblock .opblock-summary { flex-wrap: wrap; }
  .swagger-ui .opblock .opblock-summary-description { flex-basis: 100%; }
  .swagger-ui .scheme-container { padding: 1rem 0; }
}
`
