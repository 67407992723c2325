"""Single sign-on with OpenID Connect: what a provider is asked, and whom its tokens say. It opens no session itself."""
