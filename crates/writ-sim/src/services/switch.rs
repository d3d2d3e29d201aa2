//! Pulling the simulated services out at run time, and plugging them in again.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

/// Orders that wait to be carried out; each is carried out at once.
const ORDERS_MAX: usize = 4;

/// How services that are pulled behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pulled {
    /// The port is closed: connections are refused.
    Refused,
    /// Connections are accepted and cut before the first byte.
    Cut,
}

/// Pulls running services and brings them back. Clones pull the same services.
#[derive(Debug, Clone)]
pub struct UpstreamSwitch {
    addr: SocketAddr,
    orders: mpsc::Sender<Order>,
}

#[derive(Debug)]
pub(crate) enum Order {
    Pull(Pulled, oneshot::Sender<()>),
    Restore(TcpListener, oneshot::Sender<()>),
}

impl UpstreamSwitch {
    pub(crate) fn new(addr: SocketAddr) -> (Self, mpsc::Receiver<Order>) {
        let (orders, received) = mpsc::channel(ORDERS_MAX);
        (Self { addr, orders }, received)
    }

    /// Cuts every connection, answers in the middle included, and keeps new ones out until [`Self::restore`]. Done
    /// when it returns; without effect on services that have been stopped.
    pub async fn pull(&self, how: Pulled) {
        let (done, carried_out) = oneshot::channel();
        if self.orders.send(Order::Pull(how, done)).await.is_ok() {
            // An error means that the services were stopped in between.
            let _ = carried_out.await;
        }
    }

    /// Listens on the same address again; without effect where nothing was pulled.
    ///
    /// # Errors
    /// When another program has taken the port, or the services were stopped.
    pub async fn restore(&self) -> io::Result<()> {
        self.pull(Pulled::Refused).await;
        let listener = TcpListener::bind(self.addr).await?;
        let (done, carried_out) = oneshot::channel();
        let stopped = || io::Error::new(io::ErrorKind::NotConnected, "the simulated services were stopped");
        self.orders.send(Order::Restore(listener, done)).await.map_err(|_| stopped())?;
        carried_out.await.map_err(|_| stopped())
    }
}
