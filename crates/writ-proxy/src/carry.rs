//! Who runs an interaction: the client's own task, as long as the client waits for its answer, and a task of its own
//! from the moment at which the client goes away. Either way it reaches its outcome entry; as long as nobody leaves, no
//! task is started and nothing passes between tasks.
//!
//! The answer passes through a [`Place`]. Whoever takes from it has carried the interaction on in the same step, and
//! whoever is carried on by a task of its own has no client any more: so nobody has to be woken for a change of it.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use parking_lot::Mutex;

use crate::drive::AnswerBody;
use crate::limits;

/// What an interaction has for its client, and whether the client is still there.
#[derive(Default)]
struct Place {
    head: Option<Response<Content>>,
    /// Pieces of the body that wait: at most [`limits::PIECES`].
    pieces: VecDeque<Bytes>,
    /// No more pieces will come.
    complete: bool,
    /// The client went away, or has all that it gets.
    gone: bool,
}

/// The body of an answer.
enum Content {
    Whole(Full<Bytes>),
    Pieces,
}

/// The interaction's end: where it puts its answer.
pub(crate) struct Reply {
    place: Arc<Mutex<Place>>,
    /// How far it is.
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Expected,
    Coming,
    Given,
}

/// The client does not take more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

impl Reply {
    /// Gives the whole answer; nothing if an answer has begun.
    pub(crate) fn whole(&mut self, answer: Response<Bytes>) {
        if self.state == State::Expected {
            self.state = State::Given;
            self.place.lock().head = Some(answer.map(|body| Content::Whole(Full::new(body))));
        }
    }

    /// Gives the head of an answer whose body comes in pieces; nothing if an answer has begun.
    pub(crate) fn begin(&mut self, head: Response<()>) {
        if self.state == State::Expected {
            self.state = State::Coming;
            self.place.lock().head = Some(head.map(|()| Content::Pieces));
        }
    }

    /// Gives the next piece of the body, as soon as there is room.
    pub(crate) async fn piece(&mut self, piece: Bytes) -> Result<(), Gone> {
        if self.state != State::Coming {
            return Ok(());
        }
        let mut piece = Some(piece);
        std::future::poll_fn(|_context| {
            let mut place = self.place.lock();
            if place.gone {
                return Poll::Ready(Err(Gone));
            }
            if !limits::PIECES.admits(place.pieces.len() + 1) {
                return Poll::Pending;
            }
            place.pieces.extend(piece.take());
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// The body is complete.
    pub(crate) fn finish(&mut self) {
        self.state = State::Given;
        self.place.lock().complete = true;
    }

    /// Waits until the client goes away that has not got all of its answer.
    pub(crate) async fn gone(&self) {
        let given = self.state == State::Given;
        std::future::poll_fn(|_context| if !given && self.place.lock().gone { Poll::Ready(()) } else { Poll::Pending })
            .await;
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.place.lock().complete = true;
    }
}

/// The client's end: carries the interaction on until it has ended, whoever waits for it.
pub(crate) struct Carrier {
    interaction: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    place: Arc<Mutex<Place>>,
}

impl Carrier {
    /// Carries what `interaction` makes of its end.
    pub(crate) fn new<F: Future<Output = ()> + Send + 'static>(interaction: impl FnOnce(Reply) -> F) -> Self {
        let place: Arc<Mutex<Place>> = Arc::default();
        let reply = Reply { place: Arc::clone(&place), state: State::Expected };
        Self { interaction: Some(Box::pin(interaction(reply))), place }
    }

    /// Carries it on until it has to wait.
    fn advance(&mut self, context: &mut Context<'_>) {
        // Out of its place meanwhile: after a panic there is nothing to be carried on.
        if let Some(mut interaction) = self.interaction.take()
            && interaction.as_mut().poll(context).is_pending()
        {
            self.interaction = Some(interaction);
        }
    }

    /// The answer that it begins; `None` if it ends without one.
    pub(crate) async fn answer(mut self) -> Option<Response<AnswerBody>> {
        let head = std::future::poll_fn(|context| {
            self.advance(context);
            let head = self.place.lock().head.take();
            if head.is_none() && self.interaction.is_some() { Poll::Pending } else { Poll::Ready(head) }
        });
        let head = head.await?;
        Some(head.map(|content| AnswerBody::new(Carried { content, carrier: self })))
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        // Before anybody carries it on.
        self.place.lock().gone = true;
        if let Some(interaction) = self.interaction.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(interaction);
        }
    }
}

/// The body of an answer, which carries its interaction on while it is read.
struct Carried {
    content: Content,
    carrier: Carrier,
}

impl Body for Carried {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.carrier.advance(context);
        let this = &mut *self;
        if let Content::Whole(body) = &mut this.content {
            return Pin::new(body).poll_frame(context).map_err(|never| match never {});
        }
        let mut place = this.carrier.place.lock();
        match place.pieces.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None if place.complete => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(body) => body.is_end_stream(),
            Content::Pieces => {
                let place = self.carrier.place.lock();
                place.complete && place.pieces.is_empty()
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(body) => body.size_hint(),
            Content::Pieces => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn pieces_come_in_their_order_and_no_more_than_fit_wait() {
        let most = limits::PIECES.value();
        let carrier = Carrier::new(|mut reply| async move {
            reply.begin(Response::new(()));
            for number in 0..most + 5 {
                reply.piece(Bytes::from(number.to_string())).await.unwrap();
            }
            reply.finish();
        });
        let place = Arc::clone(&carrier.place);
        let mut body = carrier.answer().await.unwrap().into_body();
        assert_eq!(place.lock().pieces.len(), most);
        for number in 0..most + 5 {
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), number.to_string());
        }
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn an_interaction_whose_client_goes_away_is_told_and_goes_on() {
        for begun in [false, true] {
            let (end, ended) = oneshot::channel();
            let carrier = Carrier::new(|mut reply| async move {
                if begun {
                    reply.begin(Response::new(()));
                    reply.piece(Bytes::from_static(b"first")).await.unwrap();
                }
                reply.gone().await;
                assert_eq!(reply.piece(Bytes::from_static(b"late")).await, if begun { Err(Gone) } else { Ok(()) });
                tokio::task::yield_now().await;
                end.send(()).unwrap();
            });
            let waiting = tokio::spawn(async move {
                let Some(answer) = carrier.answer().await else { return };
                let mut body = answer.into_body();
                while body.frame().await.is_some() {}
            });
            tokio::task::yield_now().await;
            waiting.abort();
            ended.await.unwrap();
        }
    }

    #[tokio::test]
    async fn an_answer_that_was_given_whole_is_not_missed_by_who_left_with_it() {
        let (end, ended) = oneshot::channel();
        let carrier = Carrier::new(|mut reply| async move {
            reply.whole(Response::new(Bytes::from_static(b"all")));
            let gone = tokio::time::timeout(std::time::Duration::from_millis(20), reply.gone()).await;
            end.send(gone.is_err()).unwrap();
        });
        let answer = carrier.answer().await.unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "all");
        assert!(ended.await.unwrap());
    }

    #[tokio::test]
    async fn an_interaction_may_end_without_an_answer() {
        assert!(Carrier::new(|_reply| async {}).answer().await.is_none());
    }
}
