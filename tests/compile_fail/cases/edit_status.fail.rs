//! No edit changes the status: that has calls of its own.

use access_keys::{Change, Edit, Error, KeyId, ProjectKeys, Status};

pub async fn pause(project: &ProjectKeys, id: KeyId) -> Result<Change, Error> {
    project.edit(id, Edit::new().status(Status::Inactive)).await
}

fn main() {}
