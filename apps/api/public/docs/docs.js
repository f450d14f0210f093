// Shows /openapi.json. A token that is pasted under "Authorize" stays in this page and is gone with it.
SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  // The default asks a server on the internet.
  validatorUrl: null,
});
