/* The service worker of an application that Belfry pushes to: what a real one does, and no more. */

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('push', (event) => {
  const { title, body, data, delivery_id } = event.data.json();
  // The same tag: a copy takes the place of the first.
  event.waitUntil(
    Promise.all([
      self.registration.showNotification(title, { body, data, tag: delivery_id }),
      self.clients.matchAll({ type: 'window' }).then((pages) => {
        for (const page of pages) page.postMessage({ title, body });
      }),
    ]),
  );
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow('/browser.html'));
});
