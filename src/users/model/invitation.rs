//! An account that is offered.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::identity::{Role, UserRef};
use crate::mail::MailLanguage;

/// How long it can be accepted once it is mailed.
pub const INVITATION_LIFETIME: TimeDelta = TimeDelta::days(7);

/// An account that is offered to who reads an address.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Invitation {
    /// The invitation's id, for taking it back.
    pub id: Uuid,
    /// Whose it is.
    #[schema(example = "grace@example.com")]
    pub email: String,
    /// What the account may do.
    pub role: Role,
    /// Who invites.
    pub inviter: UserRef,
    /// The language of the mail, and of the account unless another is chosen.
    pub language: MailLanguage,
    /// When the address was invited first.
    pub created_at: DateTime<Utc>,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
}

/// The path of an invitation.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct InvitationPath {
    /// The invitation's id
    pub id: Uuid,
}
