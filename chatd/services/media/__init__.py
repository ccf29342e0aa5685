"""Files: uploads, avatars and icons, file types, and removal of metadata from images."""
